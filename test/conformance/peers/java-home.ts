import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../support/command.ts'

const { JAVA_HOME } = process.env
/** Where Debian and its relatives keep JDKs; JAVA_HOME comes first. */
const INSTALLED = '/usr/lib/jvm/*'
const LIMIT_MS = 60_000

/** @returns its feature release, such as 21; 0 when there is none */
async function releaseOf(home: string): Promise<number> {
  const javac = await runCommand(join(home, 'bin', 'javac'), ['-version'], {
    limitMs: LIMIT_MS,
  }).catch(() => null)
  const version = /^javac (\d+)/.exec(`${javac?.stdout ?? ''}${javac?.stderr ?? ''}`)
  return Number(version?.[1] ?? 0)
}

/**
 * A JDK of at least that release: the one that JAVA_HOME names, or the newest that is installed.
 * @returns its home
 * @throws Error with one sentence that says what to install
 */
export async function findJava(release: number): Promise<string> {
  if (JAVA_HOME !== undefined && (await releaseOf(JAVA_HOME)) >= release) return JAVA_HOME
  let best = { home: '', release: 0 }
  for await (const home of glob(INSTALLED)) {
    const found = await releaseOf(home)
    if (found > best.release) best = { home, release: found }
  }
  if (best.release >= release) return best.home
  throw new Error(
    `this part of the conformance tier needs a JDK, version ${release} or newer: install one and let JAVA_HOME name it`,
  )
}
