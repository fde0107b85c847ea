/**
 * Measures Spool beside Apache Kafka on this machine. Run:
 *   npm run bench -- [--rounds N] [--only NAME,NAME] [--targets kafka,spool] [--smoke] [--no-fill]
 *                    [--scale X] [--json FILE] [--profile DIR]
 * --smoke is a quick look with small sizes; --profile writes V8 CPU profiles of Spool. Linux only.
 * docs/benchmarks.md says how to read the table.
 */
import { writeFile } from 'node:fs/promises'
import { cpus, platform, release, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { versions } from '../conformance/peers/versions.ts'
import { type BenchOptions, runBench } from './bench.ts'
import { jsonOf, tableOf } from './report.ts'
import { SCENARIOS } from './scenarios.ts'

const SMOKE_SCALE = 0.01

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
    targets: { type: 'string', default: 'kafka,spool' },
    smoke: { type: 'boolean', default: false },
    'no-fill': { type: 'boolean', default: false },
    scale: { type: 'string' },
    json: { type: 'string', default: join(tmpdir(), `spool-bench-${process.pid}.json`) },
    profile: { type: 'string' },
  },
})

function refuse(text: string): never {
  console.error(text)
  process.exit(2)
}

function chosenScenarios(): BenchOptions['scenarios'] {
  const names = values.only.split(',').filter((name) => name !== '')
  const known = SCENARIOS.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined)
    refuse(`no scenario is called ${unknown}; there are ${known.join(', ')}`)
  return SCENARIOS.filter(({ name }) => names.length === 0 || names.includes(name))
}

function chosenKinds(): BenchOptions['kinds'] {
  return values.targets.split(',').map((kind) => {
    if (kind === 'kafka' || kind === 'spool') return kind
    return refuse(`--targets takes kafka and spool, not ${kind}`)
  })
}

function positive(name: string, text: string): number {
  const value = Number(text)
  return value > 0 ? value : refuse(`--${name} is a number above 0, not ${text}`)
}

if (platform() !== 'linux') refuse('the bench reads CPU time and memory from /proc: it needs Linux')
const roundCount = positive('rounds', values.rounds ?? (values.smoke ? '1' : '3'))
const scale = positive('scale', values.scale ?? String(values.smoke ? SMOKE_SCALE : 1))
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
  scenarios: chosenScenarios(),
  kinds: chosenKinds(),
  roundCount,
  scale,
  fillsPageCache: !values.smoke && !values['no-fill'],
  warmsUp: !values.smoke,
  ...(values.profile === undefined ? {} : { profileDir: values.profile }),
  log: (line) => console.log(line),
})
console.log(`\n${tableOf(results)}\n`)
await writeFile(values.json, jsonOf(results, machine))
console.log(`${machine.cpu}, ${machine.system}, Node ${machine.node}, Kafka ${machine.kafka}`)
console.log(`medians of ${roundCount} interleaved rounds; every run is in ${values.json}`)
