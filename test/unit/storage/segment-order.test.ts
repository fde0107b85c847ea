import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LogConfig } from '../../../src/ports/partition-log.ts'
import { append, batchOf, Harness, readAll } from './log-harness.ts'

const SIZE = batchOf().byteLength
/** The first segment is full, and synced up to its last batch. */
function full(config: Partial<LogConfig>) {
  const harness = new Harness()
  const log = harness.open({ segmentBytes: 2 * SIZE, ...config })
  append(log, batchOf(), 'written')
  harness.finishTurn()
  append(log, batchOf(), 'written')
  harness.finishTurn()
  return { harness, log }
}

const segmentCount = (harness: Harness): number =>
  harness.fs.list('/data/t-0').filter((name) => name.endsWith('.log')).length

describe('the next segment', () => {
  it('begins once the one before is synced, so that no power failure leaves a gap', () => {
    const { harness, log } = full({})
    const outcome = append(log, batchOf(), 'written')
    harness.finishTurn()
    assert.deepEqual([segmentCount(harness), outcome.told], [1, undefined])
    harness.settle()
    assert.deepEqual([segmentCount(harness), outcome.told], [2, 0])
    assert.deepEqual(readAll(harness, log).at(-1), [2, 2])
  })

  it('begins at once where nobody waits for syncs', () => {
    const { harness, log } = full({ durability: 'os' })
    const outcome = append(log, batchOf(), 'written')
    harness.finishTurn()
    assert.deepEqual([segmentCount(harness), outcome.told], [2, 0])
  })
})

describe('retention', () => {
  it('leaves a segment until what is known of its producers is safe', async () => {
    const harness = new Harness({ retentionCheckIntervalMs: 1000 })
    const log = harness.open({ retentionMs: 0 })
    harness.manager.start()
    append(log, batchOf(1, { producerId: 7, producerEpoch: 0, baseSequence: 0 }))
    harness.settle()
    harness.scheduler.advance(1000)
    assert.deepEqual([segmentCount(harness), log.logStartOffset], [2, 0])
    harness.settle()
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    assert.equal(log.logStartOffset, 1)
    harness.fs.crash()
    harness.start()
    const again = harness.open({ retentionMs: 0 })
    assert.equal(again.activeProducer(7)?.lastSequence, 0)
  })
})
