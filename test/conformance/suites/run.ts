/**
 * Runs the tests that others have written for their Kafka clients against a broker. SUITES.md says where
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
import { platformaticKafka } from './platformatic-kafka.ts'
import { countTests, loggingCommand, missedTests, type Suite, type SuiteTest } from './suite.ts'

const SUITES: Readonly<Record<string, Suite>> = {
  'franz-go': franzGo,
  'kafka-python': kafkaPython,
  'platformatic-kafka': platformaticKafka,
  librdkafka,
}

interface Options {
  readonly target: TargetKind
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
const { passed, failed, skipped } = countTests(tests)
const seconds = Math.round((performance.now() - startedAt) / 1_000)
console.log(`${name} on ${options.target}: ${seconds} s, results and logs in ${directory}`)
if (options.yardstick !== undefined) await compare(options.yardstick)
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function readCommandLine(): { readonly args: readonly string[]; readonly options: Options } {
  const command = program
    .name('node test/conformance/suites/run.ts')
    .addArgument(new Argument('<suite>').choices(Object.keys(SUITES)))
    .argument('<checkout>', "the folder with the suite's code")
    .addOption(new Option('--target <broker>').choices(['spool', 'kafka']).default('spool'))
    .option('--only <pattern>', 'some tests only; each suite has its own patterns')
    .option('--out <folder>', 'for results and logs', 'suite-results')
    .option('--yardstick <file>', 'results.json of another run, such as on Kafka, to compare with')
    .parse()
  return { args: command.args, options: command.opts<Options>() }
}

async function runSuite(): Promise<readonly SuiteTest[]> {
  const targets: Target[] = []
  try {
    for (const port of suite.ports ?? (await freePorts(1))) {
      // Kafka is told its address in its config, and some tests read it there.
      const advertised = { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` }
      const config = { ...suite.config, ...advertised }
      targets.push(await startTarget(options.target, { config, port }))
    }
    return await suite.run({
      checkout: resolve(checkout),
      bootstrap: targets[0]?.bootstrap ?? '',
      only: options.only,
      command: loggingCommand(directory),
    })
  } finally {
    for (const target of targets) await target.stop()
  }
}

async function compare(file: string): Promise<void> {
  const yardstick = JSON.parse(await readFile(file, 'utf8')) as readonly SuiteTest[]
  const missed = missedTests(yardstick, tests)
  const wanted = countTests(yardstick).passed
  console.log(`of ${wanted} tests that pass there, ${wanted - missed.length} pass here`)
  for (const test of missed) console.log(`  ${test.name}: ${test.status} ${test.reason}`)
}
