import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableOf } from '../report.ts'
import { NATS_SERVER, runNatsBench } from './nats-bench.ts'
import { NATS_SCENARIOS } from './nats-scenarios.ts'

/** Small enough for CI; what a machine measures is not judged there. */
const SCALE = 0.001

test('the bench of NATS runs every scenario on Spool and on nats-server and prints a number for each measure', async () => {
  const lines: string[] = []
  const results = await runNatsBench({
    scenarios: NATS_SCENARIOS,
    kinds: ['nats-server', 'spool'],
    roundCount: 1,
    scale: SCALE,
    warmsUp: false,
    log: (line) => lines.push(line),
  })
  assert.equal(results.length, NATS_SCENARIOS.length, lines.join('\n'))
  for (const { scenario, samples } of results) {
    for (const { name } of scenario.metrics) {
      for (const kind of ['nats-server', 'spool'] as const) {
        const value = samples[kind][0]?.[name]
        assert.ok(Number.isFinite(value), `${scenario.name}: ${name} of ${kind} is ${value}`)
      }
    }
  }
  const rows = tableOf(results, NATS_SERVER).split('\n')
  const metricCount = results.reduce((sum, { scenario }) => sum + scenario.metrics.length, 0)
  assert.equal(rows.length, metricCount + 2)
})
