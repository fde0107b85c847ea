/**
 * Runs the tests that others have written for their clients against a broker. SUITES.md says where
 * they come from: their code is never part of this repository, so a checkout has to be named.
 *   node test/conformance/suites/run.ts franz-go ~/franz-go [--target kafka] [--only PATTERN]
 *   node test/conformance/suites/run.ts franz-go ~/franz-go --yardstick out/franz-go-kafka/results.json
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Argument, Option, program } from 'commander'
import { freePorts } from '../support/free-ports.ts'
import { startTarget, type Target, type TargetKind } from '../target.ts'
import { franzGo } from './franz-go.ts'
import { kafkaPython } from './kafka-python.ts'
import { librdkafka } from './librdkafka.ts'
import { natsGo } from './nats/nats-go.ts'
import { natsJs } from './nats/nats-js.ts'
import { type ServerTarget, serverProgram } from './nats/server-program.ts'
import { platformaticKafka } from './platformatic-kafka.ts'
import {
  type BrokerSuite,
  countTests,
  loggingCommand,
  missedTests,
  partsOf,
  type ServerSuite,
  type Suite,
  type SuiteRun,
  type SuiteTest,
} from './suite.ts'

const SUITES: Readonly<Record<string, Suite>> = {
  'franz-go': franzGo,
  'kafka-python': kafkaPython,
  'platformatic-kafka': platformaticKafka,
  librdkafka,
  'nats.js': natsJs,
  'nats.go': natsGo,
}

const TARGETS: readonly (TargetKind | ServerTarget)[] = ['spool', 'kafka', 'nats-server']

interface Options {
  readonly target: TargetKind | ServerTarget
  readonly only?: string
  readonly out: string
  readonly yardstick?: string
}

const { args, options } = readCommandLine()
const [name = '', checkout = ''] = args
const suite = SUITES[name] as Suite
const directory = resolve(options.out, `${name}-${options.target}`)

const startedAt = performance.now()
const tests = await runSuite()
await mkdir(directory, { recursive: true })
await writeFile(join(directory, 'results.json'), `${JSON.stringify(tests, null, 2)}\n`)
for (const test of tests) {
  if (test.status !== 'pass') console.log(`${test.status} ${test.name} ${test.reason}`)
}
const seconds = Math.round((performance.now() - startedAt) / 1_000)
console.log(`${name} on ${options.target}: ${seconds} s, results and logs in ${directory}`)
if (options.yardstick !== undefined) await compare(options.yardstick)
for (const [part, itsTests] of partsOf(tests)) {
  if (part !== '') console.log(`${part}: ${countsIn(itsTests)}`)
}
console.log(countsIn(tests))
const { passed, failed } = countTests(tests)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function countsIn(some: readonly SuiteTest[]): string {
  const counts = countTests(some)
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`
}

function readCommandLine(): { readonly args: readonly string[]; readonly options: Options } {
  const command = program
    .name('node test/conformance/suites/run.ts')
    .addArgument(new Argument('<suite>').choices(Object.keys(SUITES)))
    .argument('<checkout>', "the folder with the suite's code")
    .addOption(new Option('--target <broker>').choices(TARGETS).default('spool'))
    .option('--only <pattern>', 'some tests only; each suite has its own patterns')
    .option('--out <folder>', 'for results and logs', 'suite-results')
    .option('--yardstick <file>', 'results.json of another run, such as on Kafka, to compare with')
    .parse()
  return { args: command.args, options: command.opts<Options>() }
}

function runSuite(): Promise<readonly SuiteTest[]> {
  const { target, only } = options
  const run = { checkout: resolve(checkout), only, command: loggingCommand(directory) }
  if (suite.needs === 'broker' && target !== 'nats-server') return runOnBrokers(suite, target, run)
  if (suite.needs === 'server program' && target !== 'kafka') {
    return runOnProgram(suite, target, run)
  }
  throw new Error(`${name} needs a ${suite.needs}, which ${target} is not`)
}

async function runOnBrokers(
  { ports, config, run: runTests }: BrokerSuite,
  kind: TargetKind,
  run: SuiteRun,
): Promise<readonly SuiteTest[]> {
  const targets: Target[] = []
  try {
    for (const port of ports ?? (await freePorts(1))) {
      // Kafka is told its address in its config, and some tests read it there.
      const advertised = { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` }
      targets.push(await startTarget(kind, { config: { ...config, ...advertised }, port }))
    }
    return await runTests({ ...run, bootstrap: targets[0]?.bootstrap ?? '' })
  } finally {
    for (const target of targets) await target.stop()
  }
}

async function runOnProgram(
  { run: runTests }: ServerSuite,
  target: ServerTarget,
  run: SuiteRun,
): Promise<readonly SuiteTest[]> {
  const program = await serverProgram(target)
  try {
    return await runTests({ ...run, server: program.path })
  } finally {
    await program.remove()
  }
}

async function compare(file: string): Promise<void> {
  const yardstick = JSON.parse(await readFile(file, 'utf8')) as readonly SuiteTest[]
  for (const [part, itsTests] of partsOf(yardstick)) {
    const missed = missedTests(itsTests, tests)
    const wanted = countTests(itsTests).passed
    const label = part === '' ? '' : `${part}: `
    console.log(`${label}of ${wanted} tests that pass there, ${wanted - missed.length} pass here`)
    for (const test of missed) console.log(`  ${test.name}: ${test.status} ${test.reason}`)
  }
}
