import { createHash } from 'node:crypto'
import { cp, glob, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { mustRun } from '../support/command.ts'
import { cached, needProgram } from './cache.ts'
import { versions } from './versions.ts'

const source = join(import.meta.dirname, '..', 'clients', 'franz-go')

/** Builds our franz-go program. Returns the binary, named after its source so that edits rebuild. */
export async function installFranzGo(): Promise<string> {
  const files = (await Array.fromAsync(glob(join(source, '*.go')))).sort()
  const hash = createHash('sha256').update(versions.franzGo)
  for (const file of files) hash.update(await readFile(file))
  const name = `franz-go-${hash.digest('hex').slice(0, 16)}`
  const directory = await cached(name, async (partial) => {
    await needProgram('go')
    for (const file of files) await cp(file, join(partial, basename(file)))
    const go = (...args: string[]) =>
      mustRun('go', args, {
        cwd: partial,
        limitMs: 600_000,
        env: { GOFLAGS: '-mod=mod', CGO_ENABLED: '0', GOWORK: 'off' },
      })
    await go('mod', 'init', 'spool.conformance/franz-go')
    await go('get', `github.com/twmb/franz-go@${versions.franzGo}`)
    await go('mod', 'tidy')
    await go('build', '-trimpath', '-o', 'client', '.')
  })
  return join(directory, 'client')
}
