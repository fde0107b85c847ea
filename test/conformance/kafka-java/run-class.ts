import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeLog4j } from '../peers/kafka.ts'
import { installKafkaTests } from '../peers/kafka-tests.ts'
import { runCommand } from '../support/command.ts'
import { startTarget, type TargetKind } from '../target.ts'

export interface JavaResult {
  /** Method name; the second and later runs of one method end in `#2`, `#3`… */
  readonly test: string
  readonly status: 'pass' | 'fail' | 'skip'
  readonly reason: string
  readonly tookMs: number
}

export interface JavaRun {
  readonly results: readonly JavaResult[]
  readonly output: string
}

export interface RunClassOptions {
  readonly bootstrap: string
  /** Process of the broker, which some tests freeze. */
  readonly pid: number
  /** The JVM is ended after this; tests without a result then count as failed. */
  readonly limitMs: number
  /** A regular expression on method names. */
  readonly include?: string
}

interface PrintedResult {
  readonly name: string
  readonly display: string
  readonly status: 'pass' | 'fail' | 'skip' | 'running'
  readonly tookMs: number
  readonly reason: string
}

/** Clients' classes are named without their package. */
function fullName(className: string): string {
  const isFull = className.startsWith('kafka.') || className.startsWith('org.')
  return isFull ? className : `org.apache.kafka.clients.${className}`
}

/** Runs one test class of Kafka in a JVM of its own against a broker, which it empties. */
export async function runClass(className: string, options: RunClassOptions): Promise<JavaRun> {
  const { bootstrap, pid, limitMs, include } = options
  const classPath = await installKafkaTests()
  const directory = await mkdtemp(join(tmpdir(), 'conformance-java-'))
  try {
    const log4j = join(directory, 'log4j2.properties')
    await writeLog4j(log4j, 'error')
    const jvm = ['-Xmx768m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
    const broker = [`-Dspool.bootstrap=${bootstrap}`, `-Dspool.pid=${pid}`]
    const properties = [...broker, `-Dlog4j2.configurationFile=${log4j}`]
    const select = ['-c', fullName(className), '--include-classname', '.*']
    // The method filter sees the method with its class before and its parameters after it.
    const pattern = (names: string): string => `.*[.#](${names})(\\(.*)?`
    if (include !== undefined) select.push('--include-methodname', pattern(include))
    const console = ['execute', '--disable-banner', '--details=none']
    const extensions = ['--config', 'junit.jupiter.extensions.autodetection.enabled=true']
    const main = 'org.junit.platform.console.ConsoleLauncher'
    const args = [
      ...jvm,
      ...properties,
      '-cp',
      classPath,
      main,
      ...console,
      ...extensions,
      ...select,
    ]
    const run = await runCommand('java', args, { limitMs, cwd: directory })
    const output = `${run.stdout}\n${run.stderr}`
    return { results: parseResults(run.stdout), output }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The brokers that a class runs against. */
export interface NewBrokers {
  readonly kind: TargetKind
  readonly config: Readonly<Record<string, string>>
}

/**
 * Runs a class, then its failed tests once more, each time on a new broker: Kafka's tests have time limits
 * that a busy machine can miss, and members that a failed test leaves behind disturb the next one. Twice
 * failed is failed.
 */
export async function runClassTwice(
  className: string,
  brokers: NewBrokers,
  options: Omit<RunClassOptions, 'bootstrap' | 'pid'>,
): Promise<readonly JavaResult[]> {
  const { results, output } = await runOnNewBroker(className, brokers, options)
  if (results.length === 0) throw new Error(`${className} gave no result:\n${output.slice(-2_000)}`)
  const failed = results.filter(({ status }) => status === 'fail')
  if (failed.length === 0) return results
  const include = [...new Set(failed.map(({ test }) => test.replace(/#\d+$/, '')))].join('|')
  const again = await runOnNewBroker(className, brokers, { ...options, include })
  const second = new Map(again.results.map((result) => [result.test, result]))
  return results.map((first) => {
    const replacement = first.status === 'fail' ? second.get(first.test) : undefined
    return replacement ?? first
  })
}

async function runOnNewBroker(
  className: string,
  { kind, config }: NewBrokers,
  options: Omit<RunClassOptions, 'bootstrap' | 'pid'>,
): Promise<JavaRun> {
  const target = await startTarget(kind, { config })
  try {
    const { bootstrap, pid } = target
    return await runClass(className, { ...options, bootstrap, pid })
  } finally {
    await target.stop()
  }
}

/** Reads the lines of ResultPrinter. Exported for its test. */
export function parseResults(output: string): JavaResult[] {
  const runs = new Map<string, number>()
  const results: JavaResult[] = []
  for (const match of output.matchAll(/^@result (\{.*\})$/gm)) {
    const { name, status, reason, tookMs } = JSON.parse(match[1] ?? '') as PrintedResult
    if (status === 'running' || reason.includes('the same test runs once already')) continue
    const count = (runs.get(name) ?? 0) + 1
    runs.set(name, count)
    results.push({ test: count === 1 ? name : `${name}#${count}`, status, reason, tookMs })
  }
  return results
}
