/**
 * Runs the tests that others have written for their clients against a server. SUITES.md says where
 * they come from: their code is never part of this repository, so a checkout has to be named.
 *   node test/conformance/suites/run.ts franz-go ~/franz-go [--target kafka] [--only PATTERN]
 *   node test/conformance/suites/run.ts franz-go ~/franz-go --yardstick out/franz-go-kafka/results.json
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Argument, program } from 'commander'
import { franzGo } from './franz-go.ts'
import { kafkaPython } from './kafka-python.ts'
import { onBrokers } from './kafka-suite.ts'
import { librdkafka } from './librdkafka.ts'
import { natsGo } from './nats-go/nats-go.ts'
import { natsJs } from './nats-js/nats-js.ts'
import { platformaticKafka } from './platformatic-kafka.ts'
import { countTests, loggingCommand, missedTests, type Suite, type SuiteTest } from './suite.ts'

const SUITES: Readonly<Record<string, Suite>> = {
  'franz-go': onBrokers(franzGo),
  'kafka-python': onBrokers(kafkaPython),
  'platformatic-kafka': onBrokers(platformaticKafka),
  librdkafka: onBrokers(librdkafka),
  'nats.go': natsGo,
  'nats.js': natsJs,
}

interface Options {
  readonly target: string
  readonly only?: string
  readonly out: string
  readonly yardstick?: string
}

const { args, options } = readCommandLine()
const [name = '', checkout = ''] = args
const suite = SUITES[name] as Suite
const directory = resolve(options.out, `${name}-${options.target}`)

if (!suite.targets.includes(options.target)) {
  program.error(`${name} runs on ${suite.targets.join(' and ')}, not on ${options.target}`)
}
const startedAt = performance.now()
await mkdir(directory, { recursive: true })
const tests = await suite.run({
  target: options.target,
  checkout: resolve(checkout),
  directory,
  only: options.only,
  command: loggingCommand(directory),
})
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
    .option('--target <server>', 'spool, or the server that its makers test it on', 'spool')
    .option('--only <pattern>', 'some tests only; each suite has its own patterns')
    .option('--out <folder>', 'for results and logs', 'suite-results')
    .option('--yardstick <file>', 'results.json of another run, such as on Kafka, to compare with')
    .parse()
  return { args: command.args, options: command.opts<Options>() }
}

async function compare(file: string): Promise<void> {
  const yardstick = JSON.parse(await readFile(file, 'utf8')) as readonly SuiteTest[]
  const missed = missedTests(yardstick, tests)
  const wanted = countTests(yardstick).passed
  console.log(`of ${wanted} tests that pass there, ${wanted - missed.length} pass here`)
  for (const test of missed) console.log(`  ${test.name}: ${test.status} ${test.reason}`)
}
