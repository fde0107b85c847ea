import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { installKafka } from '../peers/kafka.ts'
import { BROKER_VERSION, type BrokerRun, type BrokerSuite, type SuiteTest } from './suite.ts'

/** A file of tests ends by itself when one of its tests is over its time; this is for those that crash. */
const FILE_LIMIT_MS = 900_000

interface Report {
  readonly tests: Readonly<Record<string, { readonly state: string; readonly extra: string }>>
}

const STATUS: Readonly<Record<string, SuiteTest['status']>> = { PASSED: 'pass', SKIPPED: 'skip' }

/**
 * Reads the report that the runner writes, and the reasons that it prints. It names all tests each time;
 * those that were not asked for are left out. Exported for its test.
 */
export function parseReport(json: string, output: string): SuiteTest[] {
  const plain = stripVTControlCharacters(output)
  const failures = plain.matchAll(/^### Test "(\w+)[^"]*" failed at .*: ###\n(.*)$/gm)
  const skipped = plain.matchAll(/^\[(\w+) +\/[^\]]*\] WARN: SKIPPING TEST: (.*)$/gm)
  const reasons = new Map([...failures, ...skipped].map(([, name = '', why = '']) => [name, why]))
  const { tests } = JSON.parse(json) as Report
  return Object.entries(tests)
    .filter(([name, { state }]) => name !== '<MAIN>' && state !== 'DNS')
    .map(([name, { state }]) => {
      return { name, status: STATUS[state] ?? 'fail', reason: reasons.get(name)?.trim() ?? '' }
    })
    .filter(({ status, reason }) => status !== 'skip' || !/^$|^Filtered/.test(reason))
}

async function numbersOfTests(folder: string): Promise<string[]> {
  const files = await readdir(folder)
  const numbers = files.map((file) => /^(0\d{3})-.*\.c(?:pp)?$/.exec(file)?.[1] ?? '')
  return [...new Set(numbers.filter((number) => number !== ''))].sort()
}

/** Some tests call Kafka's own tools: here they are in `kafka/bin`, as in Kafka's archive. */
async function writeKafkaTools(directory: string): Promise<void> {
  const java = `exec java -cp '${join(await installKafka(), '*')}'`
  const bin = join(directory, 'kafka', 'bin')
  await mkdir(bin, { recursive: true })
  const tools = { 'kafka-run-class': '', 'kafka-topics': 'org.apache.kafka.tools.TopicCommand' }
  for (const [name, className] of Object.entries(tools)) {
    const script = `#!/bin/sh\n${java} ${className} "$@"\n`
    await writeFile(join(bin, `${name}.sh`), script, { mode: 0o755 })
  }
}

/** Runs the tests of one number, in a process of their own: a crash or a hang takes no others with it. */
async function runNumber(number: string, directory: string, run: BrokerRun): Promise<SuiteTest[]> {
  const folder = join(run.checkout, 'tests')
  const report = join(directory, `${number}.json`)
  // -L: without those that bring a broker of their own. -p1: one after the other.
  const flags = ['-p1', '-L', ...(process.env['RDKAFKA_QUICK'] === '0' ? [] : ['-Q'])]
  const { output, isTimedOut, code } = await run.command(
    number,
    './test-runner',
    [...flags, '-V', BROKER_VERSION],
    {
      cwd: folder,
      limitMs: FILE_LIMIT_MS,
      env: {
        TESTS: `${number}_`,
        TEST_REPORT: report,
        RDKAFKA_TEST_CONF: join(directory, 'test.conf'),
        KAFKA_PATH: join(directory, 'kafka'),
        BROKERS: run.bootstrap,
        LD_LIBRARY_PATH: '../src:../src-cpp',
      },
    },
  )
  const json = await readFile(report, 'utf8').catch(() => undefined)
  if (json !== undefined) return parseReport(json, output)
  const why = isTimedOut ? `no end in ${FILE_LIMIT_MS / 1_000} s` : `ended with ${code}, no report`
  return [{ name: `${number}_`, status: 'fail', reason: why }]
}

/** The tests that need a broker. The runner must have been built in the checkout before. */
export const librdkafka: BrokerSuite = {
  needs: 'broker',
  source: 'github.com/confluentinc/librdkafka v2.15.0',
  // Kafka's default delay: some wait for members that join together.
  config: { 'num.partitions': '4', 'group.initial.rebalance.delay.ms': '3000' },
  run: async (run) => {
    const directory = await mkdtemp(join(tmpdir(), 'conformance-librdkafka-'))
    try {
      const lines = [`metadata.broker.list=${run.bootstrap}`, 'test.topic.random=true']
      await writeFile(join(directory, 'test.conf'), `${lines.join('\n')}\n`)
      await writeKafkaTools(directory)
      const tests: SuiteTest[] = []
      for (const number of await numbersOfTests(join(run.checkout, 'tests'))) {
        if (run.only !== undefined && !new RegExp(run.only).test(number)) continue
        const results = await runNumber(number, directory, run)
        for (const { name, status, reason } of results) console.log(`${status} ${name} ${reason}`)
        tests.push(...results)
      }
      return tests
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
}
