import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installNatsServer } from '../../peers/nats.ts'

export type ServerTarget = 'spool' | 'nats-server'

export interface ServerProgram {
  /** The executable; it becomes the server, so that signals to its process reach the server. */
  readonly path: string
  remove(): Promise<void>
}

async function commandOf(target: ServerTarget): Promise<readonly string[]> {
  if (target === 'nats-server') return [await installNatsServer()]
  const root = join(import.meta.dirname, '..', '..', '..', '..')
  return [process.execPath, join(root, 'bin', 'nats-server.mjs')]
}

/** Makes a folder with nothing but an executable called nats-server, fit to be first on the PATH. */
export async function serverProgram(target: ServerTarget): Promise<ServerProgram> {
  const command = await commandOf(target)
  const directory = await mkdtemp(join(tmpdir(), 'conformance-nats-'))
  const path = join(directory, 'nats-server')
  const words = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  await writeFile(path, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
  return { path, remove: () => rm(directory, { recursive: true, force: true }) }
}
