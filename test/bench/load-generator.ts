import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mustRun, runCommand } from '../conformance/support/command.ts'

const SOURCE = join(import.meta.dirname, 'load', 'load.c')
const EXTRA_MS = 30_000

/** What load.c prints. Latencies in microseconds, from the first byte sent to the answer read. */
export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly errors: number
  readonly p50Us: number
  readonly p99Us: number
}

let program: Promise<string> | undefined

async function compile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'spool-bench-load-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  const output = join(directory, 'load')
  await mustRun('cc', ['-O2', '-o', output, SOURCE])
  return output
}

/** False where no C compiler is installed: the scenarios of small requests need one. */
export function hasCompiler(): Promise<boolean> {
  return runCommand('cc', ['--version']).then(
    ({ code }) => code === 0,
    () => false,
  )
}

/**
 * Runs load.c, which is compiled once per process. Arguments: see its head comment.
 * @throws Error when it fails, or when the broker refused a request
 */
export async function runLoad(
  mode: 'produce' | 'tail',
  bootstrap: string,
  args: readonly (string | number)[],
  seconds: number,
): Promise<LoadResult> {
  program ??= compile()
  const [host = '', port = ''] = bootstrap.split(':')
  const all = [mode, host, port, ...args.map(String)]
  const text = await mustRun(await program, all, { limitMs: seconds * 1000 + EXTRA_MS })
  const result = JSON.parse(text) as LoadResult
  if (result.errors > 0) throw new Error(`the broker refused ${result.errors} requests of ${mode}`)
  if (result.requests === 0) throw new Error(`the broker answered no request of ${mode}`)
  return result
}
