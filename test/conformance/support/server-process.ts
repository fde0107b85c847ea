import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { killGroup } from './command.ts'

const OUTPUT_LIMIT_CHARS = 1024 * 1024
const STOP_LIMIT_MS = 30_000

/** A server started by a test. It ends with this process at the latest. */
export class ServerProcess {
  readonly child: ChildProcess
  #output = ''
  #hasEnded = false
  readonly #watchers = new Set<() => void>()

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_LIMIT_CHARS)
        this.#notify()
      })
    }
    const end = (): void => {
      this.#hasEnded = true
      process.removeListener('exit', killAtExit)
      this.#notify()
    }
    const killAtExit = (): void => killGroup(this.child, 'SIGKILL')
    process.on('exit', killAtExit)
    this.child.once('close', end).once('error', (error) => {
      this.#output += error.message
      end()
    })
  }

  /** What it has printed so far, both streams together. */
  get output(): string {
    return this.#output
  }

  /** @throws Error with the output if it ends, or stays silent for `limitMs`, before `pattern` appears */
  async waitFor(pattern: RegExp, limitMs: number): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(limitMs)
    while (true) {
      const match = pattern.exec(this.#output)
      if (match !== null) return match
      if (this.#hasEnded) throw new Error(`the server ended before it was ready:\n${this.#output}`)
      if (deadline.aborted) {
        throw new Error(`the server printed no ${pattern} in ${limitMs} ms:\n${this.#output}`)
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#watchers.delete(wake)
          deadline.removeEventListener('abort', wake)
          resolve()
        }
        this.#watchers.add(wake)
        deadline.addEventListener('abort', wake)
      })
    }
  }

  /** Asks it to end, insists after a while. Returns its exit status, null after a signal. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.#hasEnded) {
      const closed = once(this.child, 'close')
      killGroup(this.child, signal)
      const insist = setTimeout(() => killGroup(this.child, 'SIGKILL'), STOP_LIMIT_MS)
      await closed
      clearTimeout(insist)
    }
    return this.child.exitCode
  }

  #notify(): void {
    for (const wake of [...this.#watchers]) wake()
  }
}
