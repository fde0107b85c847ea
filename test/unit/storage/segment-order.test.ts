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

describe('a segment that a clean stop called safe', () => {
  it('is not called so any more when it ends, as its indexes are written again', async () => {
    const config = { segmentBytes: SIZE }
    const harness = new Harness()
    append(harness.open(config), batchOf())
    await harness.stop()
    harness.start()
    const recoveryPoint = () =>
      harness.fs.readFile('/data/recovery-point-offset-checkpoint').toString().split('\n')[2]
    assert.equal(recoveryPoint(), 't 0 1')
    append(harness.open(config), batchOf())
    harness.finishTurn()
    assert.equal(segmentCount(harness), 2)
    assert.equal(recoveryPoint(), 't 0 0')
  })
})

describe('recovery', () => {
  it('writes the torn snapshot again that lies between two segments', () => {
    const harness = new Harness()
    const config = { segmentBytes: SIZE }
    const log = harness.open(config)
    for (let baseSequence = 0; baseSequence < 2; baseSequence++) {
      append(log, batchOf(1, { producerId: 7, producerEpoch: 0, baseSequence }))
      harness.settle()
    }
    const path = harness.pathOf('00000000000000000001.snapshot')
    const content = harness.fs.readFile(path)
    harness.kill()
    const handle = harness.fs.open(path, 'write')
    handle.writeNow([Buffer.alloc(8)], 0)
    handle.close()
    harness.start()
    harness.open(config)
    harness.fs.crash()
    assert.deepEqual(harness.fs.readFile(path), content)
  })
})

describe('DeleteRecords', () => {
  it('shows no log start that could not be saved', async () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf(3))
    harness.settle()
    harness.fs.fault = (operation) => (operation === 'sync' ? { code: 'EIO' } : undefined)
    await assert.rejects(harness.until(log.deleteRecordsBefore(2)), /EIO/)
    assert.equal(log.logStartOffset, 0)
    harness.fs.fault = undefined
    await harness.until(log.deleteRecordsBefore(1))
    assert.equal(log.logStartOffset, 1)
  })
})
