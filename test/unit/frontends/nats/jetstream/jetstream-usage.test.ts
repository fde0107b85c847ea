import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jetStreamUsage } from '../../../../../src/frontends/nats/jetstream/jetstream-usage.ts'

function streamOf(name: string, storage: string, byteCount: number, max_bytes: number) {
  return { name, config: { storage, max_bytes }, state: { index: { byteCount, messageCount: 2 } } }
}

describe('jetStreamUsage', () => {
  it('counts streams in memory and on disk apart, and what they may grow to', () => {
    const streams = [
      streamOf('A', 'file', 100, 1000),
      streamOf('B', 'file', 20, -1),
      streamOf('C', 'memory', 3, 50),
    ]
    const usage = jetStreamUsage(streams, (stream) => (stream === 'B' ? 4 : 1))
    assert.deepEqual(usage, {
      stats: { memory: 3, storage: 120, reserved_memory: 50, reserved_storage: 1000 },
      streams: 3,
      consumers: 6,
      messages: 6,
      bytes: 123,
    })
  })

  it('is all 0 without streams', () => {
    const { stats, ...counts } = jetStreamUsage([], () => 1)
    assert.deepEqual(Object.values(stats), [0, 0, 0, 0])
    assert.deepEqual(Object.values(counts), [0, 0, 0, 0])
  })
})
