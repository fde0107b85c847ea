import { createHash } from 'node:crypto'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from '../support/command.ts'
import { cached, needProgram } from './cache.ts'
import { versions } from './versions.ts'

const source = join(import.meta.dirname, '..', 'clients', 'orbit', 'main.go')

/** Builds our program for batches of nats.go. Returns the binary, named after its source. */
export async function installOrbit(): Promise<string> {
  const hash = createHash('sha256')
    .update(versions.orbitJetStream)
    .update(await readFile(source))
  const directory = await cached(`orbit-${hash.digest('hex').slice(0, 16)}`, async (partial) => {
    await needProgram('go')
    await cp(source, join(partial, 'main.go'))
    const go = (...args: string[]) =>
      mustRun('go', args, {
        cwd: partial,
        limitMs: 600_000,
        env: { GOFLAGS: '-mod=mod', CGO_ENABLED: '0', GOWORK: 'off' },
      })
    await go('mod', 'init', 'spool.conformance/orbit')
    await go('get', `github.com/synadia-io/orbit.go/jetstreamext@${versions.orbitJetStream}`)
    await go('mod', 'tidy')
    await go('build', '-trimpath', '-o', 'client', '.')
  })
  return join(directory, 'client')
}
