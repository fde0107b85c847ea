import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { PrometheusMeter } from '../../../src/adapters/prometheus-meter.ts'

async function linesOf(meter: PrometheusMeter, prefix: string): Promise<string[]> {
  const { text } = await meter.exposition()
  return text.split('\n').filter((line) => line.includes(prefix))
}

describe('PrometheusMeter', () => {
  it('prints a counter of each label set below one help text', async () => {
    const meter = new PrometheusMeter()
    meter.counter('reads_total', 'Reads.', { kind: 'a' }).add()
    meter.counter('reads_total', 'Reads.', { kind: 'b' }).add(5)
    assert.deepEqual(await linesOf(meter, 'reads_total'), [
      '# HELP reads_total Reads.',
      '# TYPE reads_total counter',
      'reads_total{kind="a"} 1',
      'reads_total{kind="b"} 5',
    ])
  })

  it('gives the same counter to who asks for the same name and labels', async () => {
    const meter = new PrometheusMeter()
    meter.counter('reads_total', 'Reads.').add()
    meter.counter('reads_total', 'Reads.').add()
    assert.ok((await linesOf(meter, 'reads_total')).includes('reads_total 2'))
  })

  it('reads a gauge when somebody looks', async () => {
    const meter = new PrometheusMeter()
    let value = 1
    meter.gauge('open', 'Open.', () => value)
    assert.ok((await linesOf(meter, 'open')).includes('open 1'))
    value = 7
    assert.ok((await linesOf(meter, 'open')).includes('open 7'))
  })

  it('adds up the buckets of a histogram; a bound belongs to its bucket', async () => {
    const meter = new PrometheusMeter()
    const histogram = meter.histogram('wait_ms', 'Waiting.', [1, 10], { api: 'X' })
    for (const value of [0.5, 1, 5, 10, 11]) histogram.record(value)
    assert.deepEqual((await linesOf(meter, 'wait_ms')).slice(2), [
      'wait_ms_bucket{le="1",api="X"} 2',
      'wait_ms_bucket{le="10",api="X"} 4',
      'wait_ms_bucket{le="+Inf",api="X"} 5',
      'wait_ms_sum{api="X"} 27.5',
      'wait_ms_count{api="X"} 5',
    ])
  })

  it('has memory and event loop delay of the process', async () => {
    const { text, contentType } = await new PrometheusMeter().exposition()
    assert.match(contentType, /^text\/plain/)
    assert.match(text, /^process_resident_memory_bytes \d+/m)
    assert.match(text, /^nodejs_eventloop_lag_p99_seconds /m)
  })

  it('shows what was made after the first look', async () => {
    const meter = new PrometheusMeter()
    await meter.exposition()
    meter.counter('late_total', 'Late.').add()
    assert.ok((await linesOf(meter, 'late_total')).includes('late_total 1'))
  })

  it('refuses one name for two kinds', () => {
    const meter = new PrometheusMeter()
    meter.counter('x_total', 'X.')
    assert.throws(() => meter.gauge('x_total', 'X.', () => 0), /x_total is a counter, not a gauge/)
  })
})
