import assert from 'node:assert/strict'
import { test } from 'node:test'
import { perfRow } from '../../support/perf-table.ts'
import { useTarget } from '../support/use-target.ts'
import { mustRunTool, words } from './tool.ts'

const RECORD_COUNT = 50_000

const target = useTarget()

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`ProducerPerformance and ConsumerPerformance move ${codec} batches`, async () => {
    const { bootstrap } = target()
    const count = `--topic perf-${codec} --num-records ${RECORD_COUNT}`
    const properties = `bootstrap.servers=${bootstrap} compression.type=${codec} acks=all`
    const produce = `${count} --record-size 200 --throughput -1 --command-property ${properties}`
    const produced = await mustRunTool('producer-perf-test', words(produce))
    assert.match(produced, new RegExp(`^${RECORD_COUNT} records sent`, 'm'))

    const consume = `--bootstrap-server ${bootstrap} ${count}`
    const consumed = await mustRunTool('consumer-perf-test', words(consume))
    assert.equal(perfRow(consumed)('data.consumed.in.nMsg'), RECORD_COUNT, consumed)
  })
}

test('EndToEndLatency sees every record come back', async () => {
  const size = '--topic perf-latency --num-records 500 --record-size 100 --producer-acks all'
  const line = `--bootstrap-server ${target().bootstrap} ${size}`
  assert.match(await mustRunTool('e2e-latency', words(line)), /Avg latency: [\d.]+ ms/)
})
