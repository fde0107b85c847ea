import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from '../support/command.ts'
import { cached } from './cache.ts'
import { versions } from './versions.ts'

/** What the tests of nats.js use besides its own packages. Returns a folder with `node_modules`. */
export function installNatsJsPackages(): Promise<string> {
  const { natsJwt, ajv } = versions
  return cached(`nats-js-packages-${natsJwt}-${ajv}`, async (partial) => {
    const dependencies = { '@nats-io/jwt': natsJwt, ajv }
    await writeFile(join(partial, 'package.json'), JSON.stringify({ private: true, dependencies }))
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
    await mustRun('npm', ['install', ...quiet], { cwd: partial, limitMs: 300_000 })
  })
}
