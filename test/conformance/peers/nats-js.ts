import { mustRun } from '../support/command.ts'
import { cached } from './cache.ts'
import { versions } from './versions.ts'

/** What the tests in a checkout of nats.js need from npm. Returns the folder that they are installed in. */
export async function installNatsJsPackages(): Promise<string> {
  const { ajv, jsSha256, natsJwt, natsNkeys, natsNuid } = versions
  const packages = [
    `ajv@${ajv}`,
    `js-sha256@${jsSha256}`,
    `@nats-io/jwt@${natsJwt}`,
    `@nats-io/nkeys@${natsNkeys}`,
    `@nats-io/nuid@${natsNuid}`,
  ]
  return cached(`nats-js-tests-${natsJwt}-${natsNkeys}`, async (partial) => {
    const flags = ['--no-audit', '--no-fund', '--no-save', '--prefix', partial]
    await mustRun('npm', ['install', ...flags, ...packages], { limitMs: 300_000 })
  })
}
