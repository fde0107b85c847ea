import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type CommandOptions, type CommandResult, runCommand } from '../support/command.ts'

/** What one test of a foreign suite came to. */
export interface SuiteTest {
  readonly name: string
  readonly status: 'pass' | 'fail' | 'skip'
  /** Why it failed or was skipped, as far as the suite says so; may be empty. */
  readonly reason: string
  /** The part of the suite that it belongs to, when they are counted apart. */
  readonly part?: string
}

export interface SuiteRun {
  /** Folder with the suite's code, as its makers publish it. Nothing in it is changed. */
  readonly checkout: string
  /** Narrows the run in the suite's own way: a pattern on names of tests. */
  readonly only: string | undefined
  /** Runs a command and keeps what it prints in a file of this name beside the results. */
  readonly command: (
    logName: string,
    program: string,
    args: readonly string[],
    options: CommandOptions,
  ) => Promise<SuiteOutput>
}

/** A run against Kafka brokers that were started for it. */
export interface BrokerRun extends SuiteRun {
  /** HOST:PORT of the broker; of the first one when the suite has several. */
  readonly bootstrap: string
}

/** A run whose tests start servers of their own, with their own settings. */
export interface ServerRun extends SuiteRun {
  /** An executable called nats-server, with the flags and signals of that program. */
  readonly server: string
}

export interface SuiteOutput extends Pick<CommandResult, 'isTimedOut' | 'code'> {
  /** All that it printed, both streams together. */
  readonly output: string
}

/** Tests of a Kafka client: they are told where a broker is. */
export interface BrokerSuite {
  readonly needs: 'broker'
  /** Where its code comes from, and at which release it was last run. */
  readonly source: string
  /** Broker settings that its makers use, or that its tests rely on. */
  readonly config: Readonly<Record<string, string>>
  /** Fixed ports, a broker for each, when the tests cannot be told an address; else one free port. */
  readonly ports?: readonly number[]
  readonly run: (run: BrokerRun) => Promise<readonly SuiteTest[]>
}

/** Tests of a NATS client: they are told which program to start as their server. */
export interface ServerSuite {
  readonly needs: 'server program'
  readonly source: string
  readonly run: (run: ServerRun) => Promise<readonly SuiteTest[]>
}

/** Tests that the makers of a client have written for it, run against a broker in another process. */
export type Suite = BrokerSuite | ServerSuite

/** The version that clients are told to expect, since some tests ask for one and cannot find it out. */
export const BROKER_VERSION = '4.3.0'

/** A `command` for a run that keeps its logs in `directory`. */
export function loggingCommand(directory: string): SuiteRun['command'] {
  return async (logName, program, args, options) => {
    const logFile = join(directory, `${logName}.log`)
    await mkdir(dirname(logFile), { recursive: true })
    const { isTimedOut, code } = await runCommand(program, args, {
      ...options,
      logFile,
      endsLeftovers: true,
    })
    // Some of them print more than is kept in memory.
    return { isTimedOut, code, output: await readFile(logFile, 'utf8') }
  }
}

export interface SuiteCounts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export function countTests(tests: readonly SuiteTest[]): SuiteCounts {
  const count = (status: SuiteTest['status']): number =>
    tests.filter((test) => test.status === status).length
  return { passed: count('pass'), failed: count('fail'), skipped: count('skip') }
}

/** The parts of a suite in the order of its tests, each with its own tests; one without a name if it has none. */
export function partsOf(tests: readonly SuiteTest[]): ReadonlyMap<string, readonly SuiteTest[]> {
  return Map.groupBy(tests, ({ part }) => part ?? '')
}

/** The tests that pass in `yardstick` and do not here, each with what it came to instead. */
export function missedTests(
  yardstick: readonly SuiteTest[],
  tests: readonly SuiteTest[],
): readonly SuiteTest[] {
  const found = new Map(tests.map((test) => [test.name, test]))
  return yardstick
    .filter(({ status }) => status === 'pass')
    .map(({ name }) => found.get(name) ?? { name, status: 'skip' as const, reason: 'not run' })
    .filter(({ status }) => status !== 'pass')
}
