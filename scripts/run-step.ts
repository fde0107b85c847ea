/** Helpers of the scripts that run other programs and add up what they say. */
import { spawn } from 'node:child_process'

/** What a test runner counted. */
export interface Counts {
  readonly passed: number
  readonly failed: number
}

export interface StepResult {
  readonly exitCode: number
  readonly output: string
}

/**
 * Runs a program, shows what it prints while it runs, and keeps it.
 * @returns exit code 1 when a signal ended it or it could not be started
 */
export function runStep(command: string, args: readonly string[]): Promise<StepResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const show = (to: NodeJS.WriteStream) => (chunk: Buffer) => {
      output += chunk.toString()
      to.write(chunk)
    }
    child.stdout.on('data', show(process.stdout))
    child.stderr.on('data', show(process.stderr))
    child.on('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`)
      resolve({ exitCode: 1, output })
    })
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output }))
  })
}

/** The line every runner of this repository ends with. */
export function countsLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed`
}

/** Reads the last counts line of an output, or undefined when there is none. */
export function readCounts(output: string): Counts | undefined {
  const found = [...output.matchAll(/^(\d+) passed, (\d+) failed/gm)].at(-1)
  return found && { passed: Number(found[1]), failed: Number(found[2]) }
}
