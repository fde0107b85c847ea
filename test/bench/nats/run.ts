/**
 * Measures Spool beside nats-server on this machine. Run:
 *   npm run bench:nats -- --help
 * Linux only. docs/benchmarks.md says how to read the table.
 */
import { writeFile } from 'node:fs/promises'
import { cpus, platform, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError, program } from 'commander'
import { versions } from '../../conformance/peers/versions.ts'
import { positiveInteger, positiveNumber } from '../../support/flags.ts'
import { jsonOf, tableOf } from '../report.ts'
import { NATS_SERVER, runNatsBench } from './nats-bench.ts'
import { NATS_SCENARIOS, type NatsScenario } from './nats-scenarios.ts'
import type { NatsKind } from './nats-target.ts'

const SMOKE_SCALE = 0.001
const NAMES = NATS_SCENARIOS.map(({ name }) => name)

function scenariosOf(text: string): NatsScenario[] {
  const names = text.split(',')
  const unknown = names.find((name) => !NAMES.includes(name))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no ${unknown}, but ${NAMES.join(', ')}.`)
  return NATS_SCENARIOS.filter(({ name }) => names.includes(name))
}

function kindsOf(text: string): NatsKind[] {
  return text.split(',').map((kind) => {
    if (kind === 'nats-server' || kind === 'spool') return kind
    throw new InvalidArgumentError(`There are nats-server and spool, not ${kind}.`)
  })
}

interface Flags {
  readonly rounds?: number
  readonly only?: readonly NatsScenario[]
  readonly targets?: readonly NatsKind[]
  readonly smoke: boolean
  readonly scale?: number
  readonly json: string
  readonly profile?: string
}

const JSON_FILE = join(tmpdir(), `spool-bench-nats-${process.pid}.json`)
const values = program
  .name('npm run bench:nats --')
  .option('--rounds <n>', 'interleaved rounds (default: 3, smoke: 1)', positiveInteger)
  .option('--only <name,...>', 'scenarios by name (default: all)', scenariosOf)
  .option('--targets <name,...>', 'nats-server and spool (default: both)', kindsOf)
  .option('--smoke', 'a quick look with small sizes', false)
  .option('--scale <x>', `sizes (default: 1, smoke: ${SMOKE_SCALE})`, positiveNumber)
  .option('--json <file>', 'where every run is written', JSON_FILE)
  .option('--profile <dir>', 'where V8 CPU profiles of Spool are written')
  .addHelpText('after', `\nScenarios: ${NAMES.join(', ')}`)
  .parse()
  .opts<Flags>()

if (platform() !== 'linux')
  program.error('the bench pins with taskset and reads /proc: it needs Linux')
const roundCount = values.rounds ?? (values.smoke ? 1 : 3)
const scale = values.scale ?? (values.smoke ? SMOKE_SCALE : 1)
const machine = {
  date: new Date().toISOString(),
  node: process.version,
  natsServer: versions.natsServer,
  natsCli: versions.natsCli,
  system: `${platform()} ${release()}`,
  cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
  memoryBytes: totalmem(),
  roundCount,
  scale,
}
const results = await runNatsBench({
  scenarios: values.only ?? NATS_SCENARIOS,
  kinds: values.targets ?? ['nats-server', 'spool'],
  roundCount,
  scale,
  warmsUp: !values.smoke,
  ...(values.profile === undefined ? {} : { profileDir: values.profile }),
  log: (line) => console.log(line),
})
console.log(`\n${tableOf(results, NATS_SERVER)}\n`)
await writeFile(values.json, jsonOf(results, machine))
const { cpu, system, node, natsServer, natsCli } = machine
console.log(`${cpu}, ${system}, Node ${node}, nats-server ${natsServer}, nats ${natsCli}`)
console.log(`medians of ${roundCount} interleaved rounds; every run is in ${values.json}`)
