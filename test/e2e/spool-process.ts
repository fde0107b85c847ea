import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'

const BIN = new URL('../../bin/spool.mjs', import.meta.url).pathname

/** A broker in a process of its own. */
export interface Server {
  readonly child: ChildProcess
  readonly directory: string
  readonly bootstrap: string
  /** Everything it printed on its standard error. */
  readonly errors: () => string
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const children = new Set<ChildProcess>()
const directories: string[] = []

/** Ends what still runs and removes the directories; for `after`. */
export async function cleanUp(): Promise<void> {
  await Promise.all(
    [...children].map((child) => {
      const end = endOf(child)
      child.kill('SIGKILL')
      return end
    }),
  )
  for (const directory of directories.splice(0)) {
    rmSync(directory, { recursive: true, force: true })
  }
}

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'spool-e2e-'))
  directories.push(directory)
  return directory
}

interface ProcessOptions {
  readonly cwd?: string
  readonly uid?: number
  readonly gid?: number
  readonly env?: NodeJS.ProcessEnv
  readonly stdin?: 'ignore' | 'pipe'
}

/** Starts the real binary. */
export function spawnSpool(
  args: readonly string[],
  { stdin = 'ignore', ...options }: ProcessOptions = {},
): ChildProcess {
  const child = spawn(process.execPath, [BIN, ...args], {
    ...options,
    stdio: [stdin, 'pipe', 'pipe'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Runs a command to its end. */
export async function runSpool(...args: readonly string[]): Promise<Ended> {
  return await ended(spawnSpool(args))
}

/** Collects what a process prints until it ends. */
export function ended(child: ChildProcess): Promise<Ended> {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (chunk: Buffer) => {
      output[name] += chunk.toString()
    })
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...output }))
  })
}

/** A broker on a free port; resolves when it says it is ready. */
export function serve(
  directory: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const sets = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const where = ['--data-dir', directory, '--kafka', '127.0.0.1:0', '--no-nats', '--no-http']
  const child = spawnSpool(['serve', ...where, ...sets])
  let output = ''
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`spool ended with ${code}: ${errors}`)))
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const bootstrap = /^kafka (\S+)$/m.exec(output)?.[1]
      if (bootstrap !== undefined && /^ready/m.test(output)) {
        resolve({ child, directory, bootstrap, errors: () => errors })
      }
    })
  })
}

/** Resolves with the exit code. */
export function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)))
}

/** Ends a broker as `kill` does; resolves with the exit code. */
export async function stop({ child }: Server): Promise<number | null> {
  const code = endOf(child)
  child.kill('SIGTERM')
  return await code
}

/** kafkajs with a patience that suits tests. */
export function kafkaOf({ bootstrap }: Pick<Server, 'bootstrap'>): Kafka {
  return new Kafka({
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50 },
  })
}
