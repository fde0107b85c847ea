import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'

export interface CommandOptions {
  /** The process group is killed after this many milliseconds. */
  readonly limitMs?: number
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Written to standard input, which is then closed. */
  readonly input?: string
  /** Gets all that it prints, both streams together, without a limit. */
  readonly logFile?: string
  /** Kills what the command started and left running, such as servers of tests that failed. */
  readonly endsLeftovers?: boolean
}

export interface CommandResult {
  /** Exit status; null when a signal ended the process. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly isTimedOut: boolean
}

/** Enough for any tool here; the rest of the output is cut, so that a runaway cannot fill memory. */
const OUTPUT_LIMIT_CHARS = 16 * 1024 * 1024
const DEFAULT_LIMIT_MS = 120_000

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) killGroup(child, 'SIGKILL')
})

/** Signals a child started with `detached`, with everything it started itself. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * Runs a command to its end and collects what it prints.
 * @throws Error naming the program if it cannot be started; a bad exit status is not an exception
 */
export function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { limitMs = DEFAULT_LIMIT_MS, cwd, env, input, logFile, endsLeftovers = false } = options
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    running.add(child)
    let isTimedOut = false
    const timer = setTimeout(() => {
      isTimedOut = true
      killGroup(child, 'SIGKILL')
    }, limitMs)
    const log = logFile === undefined ? undefined : createWriteStream(logFile)
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (texts[name].length < OUTPUT_LIMIT_CHARS) texts[name] += text
        log?.write(text)
      })
    }
    log?.on('error', reject)
    child.on('error', (error) => {
      clearTimeout(timer)
      running.delete(child)
      log?.end()
      reject(new Error(`cannot start ${program}: ${error.message}`, { cause: error }))
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      running.delete(child)
      if (endsLeftovers) killGroup(child, 'SIGKILL')
      const result = { code, ...texts, isTimedOut }
      if (log === undefined) resolve(result)
      else log.end(() => resolve(result))
    })
    // A tool that ends before it has read its input is judged by its exit status, not by EPIPE.
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
  })
}

/** Like runCommand, but anything except exit status 0 is an exception with the end of the output. */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await runCommand(program, args, options)
  if (result.code === 0) return result.stdout
  const why = result.isTimedOut ? 'took too long' : `ended with ${result.code}`
  const output = `${result.stdout}\n${result.stderr}`.trim().slice(-2_000)
  throw new Error(`${program} ${args.slice(0, 4).join(' ')} … ${why}:\n${output}`)
}
