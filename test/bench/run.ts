/**
 * Measures Spool beside Apache Kafka on this machine. Run:
 *   npm run bench -- --help
 * Linux only. docs/benchmarks.md says how to read the table.
 */
import { writeFile } from 'node:fs/promises'
import { cpus, platform, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError, program } from 'commander'
import { versions } from '../conformance/peers/versions.ts'
import { positiveInteger, positiveNumber } from '../support/flags.ts'
import { type BenchOptions, runBench } from './bench.ts'
import { jsonOf, KAFKA, tableOf } from './report.ts'
import { SCENARIOS } from './scenarios.ts'

const SMOKE_SCALE = 0.01

type Kind = BenchOptions['kinds'][number]

function scenariosOf(text: string): BenchOptions['scenarios'] {
  const names = text.split(',')
  const known = SCENARIOS.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no ${unknown}, but ${known.join(', ')}.`)
  return SCENARIOS.filter(({ name }) => names.includes(name))
}

function kindsOf(text: string): Kind[] {
  return text.split(',').map((kind) => {
    if (kind === 'kafka' || kind === 'spool') return kind
    throw new InvalidArgumentError(`There are kafka and spool, not ${kind}.`)
  })
}

interface Flags {
  readonly rounds?: number
  readonly only?: BenchOptions['scenarios']
  readonly targets?: readonly Kind[]
  readonly smoke: boolean
  readonly fill: boolean
  readonly scale?: number
  readonly json: string
  readonly profile?: string
}

const JSON_FILE = join(tmpdir(), `spool-bench-${process.pid}.json`)
const values = program
  .name('npm run bench --')
  .option('--rounds <n>', 'interleaved rounds (default: 3, smoke: 1)', positiveInteger)
  .option('--only <name,...>', 'scenarios by name (default: all)', scenariosOf)
  .option('--targets <name,...>', 'kafka and spool (default: both)', kindsOf)
  .option('--smoke', 'a quick look with small sizes', false)
  .option('--no-fill', 'do not touch all free memory first')
  .option('--scale <x>', `sizes (default: 1, smoke: ${SMOKE_SCALE})`, positiveNumber)
  .option('--json <file>', 'where every run is written', JSON_FILE)
  .option('--profile <dir>', 'where V8 CPU profiles of Spool are written')
  .addHelpText('after', `\nScenarios: ${SCENARIOS.map(({ name }) => name).join(', ')}`)
  .parse()
  .opts<Flags>()

if (platform() !== 'linux')
  program.error('the bench reads CPU time and memory from /proc: it needs Linux')
const roundCount = values.rounds ?? (values.smoke ? 1 : 3)
const scale = values.scale ?? (values.smoke ? SMOKE_SCALE : 1)
const machine = {
  date: new Date().toISOString(),
  node: process.version,
  kafka: versions.kafka,
  system: `${platform()} ${release()}`,
  cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
  memoryBytes: totalmem(),
  roundCount,
  scale,
}
const results = await runBench({
  scenarios: values.only ?? SCENARIOS,
  kinds: values.targets ?? ['kafka', 'spool'],
  roundCount,
  scale,
  fillsPageCache: !values.smoke && values.fill,
  warmsUp: !values.smoke,
  ...(values.profile === undefined ? {} : { profileDir: values.profile }),
  log: (line) => console.log(line),
})
console.log(`\n${tableOf(results, KAFKA)}\n`)
await writeFile(values.json, jsonOf(results, machine))
console.log(`${machine.cpu}, ${machine.system}, Node ${machine.node}, Kafka ${machine.kafka}`)
console.log(`medians of ${roundCount} interleaved rounds; every run is in ${values.json}`)
