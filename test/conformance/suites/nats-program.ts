import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installNatsServer } from '../peers/nats.ts'

/** What the tests of NATS clients can be run on. */
export const NATS_TARGETS = ['spool', 'nats-server'] as const

const LAUNCHER = join(import.meta.dirname, '..', '..', '..', 'bin', 'nats-server.mjs')

/**
 * The server that tests start by themselves, under its name.
 * @param directory where the program is made, if it is Spool's
 * @returns the file `nats-server`, whose process is the server itself
 */
export async function natsServerProgram(target: string, directory: string): Promise<string> {
  if (target === 'nats-server') return installNatsServer()
  const file = join(directory, 'nats-server')
  const script = `#!/bin/sh\nexec '${process.execPath}' '${LAUNCHER}' "$@"\n`
  await writeFile(file, script, { mode: 0o755 })
  return file
}
