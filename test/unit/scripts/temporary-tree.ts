import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Makes files below a new directory, hands it over, and removes all of it. */
export async function withTree(
  files: Readonly<Record<string, string>>,
  use: (root: string) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'spool-tree-'))
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = join(root, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    }
    await use(root)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

export interface Ended {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program of the repository to its end. */
export function runNode(
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env }
  // A test runner started below is a run of its own, not a part of this one.
  delete env['NODE_TEST_CONTEXT']
  return new Promise((resolve) => {
    execFile(process.execPath, [...args], { cwd: options.cwd, env }, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
      resolve({ exitCode, stdout, stderr })
    })
  })
}
