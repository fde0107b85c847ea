import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeLog4j } from '../peers/kafka.ts'
import { installKafkaTests } from '../peers/kafka-tests.ts'
import { runCommand } from '../support/command.ts'
import { startTarget, type TargetKind } from '../target.ts'
import type { JavaClass } from './classes.ts'

export interface JavaResult {
  /** Method name; the second and later runs of one method end in `#2`, `#3`… */
  readonly test: string
  readonly status: 'pass' | 'fail' | 'skip'
  readonly reason: string
  readonly tookMs: number
  /** Kafka tags it "flaky": it does not always pass on Kafka either. */
  readonly isFlaky: boolean
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
  /** Regular expressions on method names. */
  readonly include?: string
  readonly exclude?: string
}

interface PrintedResult {
  readonly name: string
  readonly display: string
  readonly status: 'pass' | 'fail' | 'skip' | 'running'
  readonly isFlaky: boolean
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
  const { bootstrap, pid, limitMs, include, exclude } = options
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
    if (exclude !== undefined) select.push('--exclude-methodname', pattern(exclude))
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

const CLASS_LIMIT_MS = 900_000

/** Tries of a test, each on a new broker, and of one that Kafka itself tags "flaky". */
const TRY_COUNT = 2
/** One of them fails 18 times in 40 on Spool and 25 times in 40 on Kafka 4.4 (FINDINGS.md). */
const FLAKY_TRY_COUNT = 8

/**
 * Runs a class, then its failed tests again, each time on a new broker: Kafka's tests have time limits
 * that a busy machine can miss, and members that a failed test leaves behind disturb the next one. Twice
 * failed is failed; tests that fail on Kafka now and then may fail seven times.
 */
export async function runClassWithRetries(
  javaClass: JavaClass,
  kind: TargetKind,
): Promise<readonly JavaResult[]> {
  const first = await runOnNewBroker(javaClass, kind)
  if (first.results.length === 0) {
    throw new Error(`${javaClass.label} gave no result:\n${first.output.slice(-2_000)}`)
  }
  let results: readonly JavaResult[] = first.results
  for (let tries = 1; tries < FLAKY_TRY_COUNT; tries++) {
    const methods = testsToRepeat(results, tries)
    if (methods.length === 0) break
    const again = await runOnNewBroker({ ...javaClass, include: methods.join('|') }, kind)
    const found = new Map(again.results.map((result) => [result.test, result]))
    results = results.map((result) =>
      result.status === 'fail' ? (found.get(result.test) ?? result) : result,
    )
  }
  return results
}

/** Names of the methods that failed in all of so many tries and may have another. Exported for its test. */
export function testsToRepeat(results: readonly JavaResult[], tries: number): string[] {
  const failed = results.filter(
    ({ status, isFlaky }) => status === 'fail' && tries < (isFlaky ? FLAKY_TRY_COUNT : TRY_COUNT),
  )
  return [...new Set(failed.map(({ test }) => test.replace(/#\d+$/, '')))]
}

async function runOnNewBroker(
  { name, config, limitMs = CLASS_LIMIT_MS, include, exclude }: JavaClass,
  kind: TargetKind,
): Promise<JavaRun> {
  const target = await startTarget(kind, { config })
  try {
    const { bootstrap, pid } = target
    const select = {
      ...(include === undefined ? {} : { include }),
      ...(exclude === undefined ? {} : { exclude }),
    }
    return await runClass(name, { limitMs, bootstrap, pid, ...select })
  } finally {
    await target.stop()
  }
}

/** Reads the lines of ResultPrinter. Exported for its test. */
export function parseResults(output: string): JavaResult[] {
  const runs = new Map<string, number>()
  const results: JavaResult[] = []
  for (const match of output.matchAll(/^@result (\{.*\})$/gm)) {
    const { name, status, reason, tookMs, isFlaky } = JSON.parse(match[1] ?? '') as PrintedResult
    if (status === 'running' || reason.includes('the same test runs once already')) continue
    const count = (runs.get(name) ?? 0) + 1
    runs.set(name, count)
    results.push({ test: count === 1 ? name : `${name}#${count}`, status, reason, tookMs, isFlaky })
  }
  return results
}
