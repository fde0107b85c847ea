import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runBench } from './bench.ts'
import { KAFKA, tableOf } from './report.ts'
import { SCENARIOS } from './scenarios.ts'

/** Small enough for CI; what a machine measures is not judged there. */
const SCALE = 0.005
/** The same code as a neighbour with another setting; the smoke has a minute. */
const VARIANTS: ReadonlySet<string> = new Set([
  'produce-1k-default',
  'latency-fsync',
  'small-fsync',
  'compaction-lz4',
  'produce-compacting-fsync',
])

test('the bench runs every kind of scenario on Spool and on Kafka and prints a number for each measure', async () => {
  const lines: string[] = []
  const results = await runBench({
    scenarios: SCENARIOS.filter(({ name }) => !VARIANTS.has(name)),
    kinds: ['kafka', 'spool'],
    roundCount: 1,
    scale: SCALE,
    fillsPageCache: false,
    warmsUp: false,
    log: (line) => lines.push(line),
  })
  assert.ok(results.length > 0, lines.join('\n'))
  for (const { scenario, samples } of results) {
    for (const { name } of scenario.metrics) {
      for (const kind of ['kafka', 'spool'] as const) {
        const value = samples[kind][0]?.[name]
        assert.ok(Number.isFinite(value), `${scenario.name}: ${name} of ${kind} is ${value}`)
      }
    }
  }
  const rows = tableOf(results, KAFKA).split('\n')
  const metricCount = results.reduce((sum, { scenario }) => sum + scenario.metrics.length, 0)
  assert.equal(rows.length, metricCount + 2)
})
