import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../support/command.ts'

const { SPOOL_PEERS_DIR } = process.env

/** The directory that keeps real peers between runs: SPOOL_PEERS_DIR, or one in the user's cache. */
export const peersDir = SPOOL_PEERS_DIR ?? join(homedir(), '.cache', 'spool-peers')

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}

/**
 * Returns the peer's directory, filling it first if that was not done before. It is filled under
 * another name and renamed when complete, so an interrupted installation is never taken for whole.
 */
export async function cached(
  name: string,
  fill: (directory: string) => Promise<void>,
): Promise<string> {
  const directory = join(peersDir, name)
  if (await exists(join(directory, '.complete'))) return directory
  const partial = `${directory}.partial-${process.pid}`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true })
  try {
    await fill(partial)
    await writeFile(join(partial, '.complete'), '')
    if (await exists(join(directory, '.complete'))) return directory
    await rm(directory, { recursive: true, force: true })
    await rename(partial, directory)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return directory
}

/** What to install for each program that the tier needs. */
const REMEDIES = {
  java: 'a JDK, version 17 or newer',
  javac: 'a JDK, version 17 or newer',
  mvn: 'Apache Maven',
  python3: 'Python 3.10 or newer with its venv module',
  go: 'Go 1.26 or newer',
  script: 'util-linux, which has its terminal recorder',
} as const

/** @throws Error with one sentence that says which program is missing and what to install */
export async function needProgram(program: keyof typeof REMEDIES): Promise<void> {
  const flag = program === 'go' ? 'version' : '--version'
  const works = await runCommand(program, [flag], { limitMs: 60_000 }).then(
    (result) => result.code === 0,
    () => false,
  )
  if (!works) {
    throw new Error(
      `the conformance tier needs ${program}, which does not run here: install ${REMEDIES[program]} and put it on the PATH`,
    )
  }
}
