import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../src/base/error-code.ts'
import { BrokerError } from '../../../src/base/errors.ts'
import {
  baseOffsetOf,
  isCrcValid,
  partitionLeaderEpochOf,
} from '../../../src/records/record-batch.ts'
import { append, batchOf, CONFIG, Harness, readAll } from './log-harness.ts'

const { NONE, KAFKA_STORAGE_ERROR } = ErrorCode

describe('append', () => {
  it('gives offsets at once and patches them and the leader epoch into the batch', () => {
    const harness = new Harness()
    const log = harness.open({}, 't', 3)
    const first = batchOf(2)
    const second = batchOf(3)
    assert.equal(append(log, first).baseOffset, 0)
    const outcome = append(log, second)
    assert.deepEqual([outcome.baseOffset, outcome.lastOffset], [2, 4])
    assert.equal(baseOffsetOf(second, 0), 2)
    assert.equal(partitionLeaderEpochOf(second, 0), 3)
    assert(isCrcValid(second, 0))
    assert.equal(log.logEndOffset, 5)
  })

  it('writes all appends of a turn with one write', () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf())
    harness.settle()
    const before = harness.meter.count('spool_log_writes_total')
    for (let i = 0; i < 50; i++) append(log, batchOf())
    harness.settle()
    assert.equal(harness.meter.count('spool_log_writes_total'), before + 1)
    assert.equal(log.highWatermark, 51)
  })

  it('tells waiters of the write after the write, and of durability after the sync', () => {
    const harness = new Harness()
    const log = harness.open()
    const written = append(log, batchOf(), 'written')
    const durable = append(log, batchOf(), 'durable')
    assert.deepEqual([written.told, durable.told], [undefined, undefined])
    harness.finishTurn()
    assert.deepEqual([written.told, durable.told], [NONE, undefined])
    harness.runDisk()
    assert.equal(durable.told, NONE)
  })

  it('never tells a waiter that wants to know nothing', () => {
    const harness = new Harness()
    const log = harness.open()
    const outcome = append(log, batchOf(), 'none')
    harness.settle()
    assert.equal(outcome.told, undefined)
    assert.equal(log.highWatermark, 1)
  })
})

describe('group commit', () => {
  it('moves the high watermark only over what is synced', () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf(4), 'written')
    harness.finishTurn()
    assert.equal(log.highWatermark, 0)
    assert.equal(harness.advancedCount, 0)
    harness.runDisk()
    assert.equal(log.highWatermark, 4)
    assert.equal(harness.advancedCount, 1)
  })

  it('has one sync in flight, which the next appends share the following one of', () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf())
    harness.finishTurn()
    const waiting = [append(log, batchOf()), append(log, batchOf())]
    harness.finishTurn()
    waiting.push(append(log, batchOf()))
    harness.finishTurn()
    assert.equal(harness.diskTaskCount, 1)
    harness.runDisk()
    assert.deepEqual(
      waiting.map(({ told }) => told),
      [undefined, undefined, undefined],
    )
    assert.equal(harness.diskTaskCount, 0, 'who was just answered may send more')
    waiting.push(append(log, batchOf()))
    harness.finishTurn()
    assert.equal(harness.diskTaskCount, 1)
    harness.runDisk()
    assert.deepEqual(
      waiting.map(({ told }) => told),
      [NONE, NONE, NONE, NONE],
    )
  })

  it('writes while a sync is in flight when somebody waits for the write', () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf())
    harness.finishTurn()
    const written = append(log, batchOf(), 'written')
    harness.finishTurn()
    assert.equal(written.told, NONE)
    assert.equal(log.highWatermark, 0)
  })

  it('tells waiters that append from within their call nothing twice', () => {
    const harness = new Harness()
    const log = harness.open()
    let again = 0
    const waiter = {
      appendDone() {
        if (again++ < 3) append(log, batchOf())
      },
    }
    const lease = { heldBytes: 0, retain() {}, release() {} }
    const request = { batch: batchOf(), lease, safety: 'durable' as const, waiter, slot: 0 }
    log.append({ ...request, logAppendTimeMs: -1 })
    harness.settle()
    assert.equal(again, 1)
    assert.equal(log.highWatermark, 2)
  })
})

describe('durability os', () => {
  it('moves the high watermark and answers after the write', () => {
    const harness = new Harness()
    const log = harness.open({ durability: 'os' })
    const outcome = append(log, batchOf())
    harness.finishTurn()
    assert.equal(outcome.told, NONE)
    assert.equal(log.highWatermark, 1)
    assert.equal(harness.diskTaskCount, 0)
  })

  it('syncs after flush.messages records', () => {
    const harness = new Harness()
    const log = harness.open({ durability: 'os', flushMessages: 3 })
    append(log, batchOf(2))
    harness.finishTurn()
    assert.equal(harness.diskTaskCount, 0)
    append(log, batchOf(1))
    harness.finishTurn()
    assert.equal(harness.diskTaskCount, 1)
  })

  it('syncs after flush.ms', () => {
    const harness = new Harness()
    const log = harness.open({ durability: 'os', flushMs: 500 })
    append(log, batchOf())
    harness.finishTurn()
    harness.scheduler.advance(499)
    assert.equal(harness.diskTaskCount, 0)
    harness.scheduler.advance(1)
    assert.equal(harness.diskTaskCount, 1)
    harness.settle()
    harness.scheduler.advance(10_000)
    assert.equal(harness.diskTaskCount, 0)
  })

  it('makes what was written visible when a topic changes to it', () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf(), 'written')
    harness.finishTurn()
    assert.equal(log.highWatermark, 0)
    log.configure({ ...CONFIG, durability: 'os' })
    assert.equal(log.highWatermark, 1)
  })
})

describe('rolling a segment', () => {
  it('begins a new one when segment.bytes would be passed', () => {
    const harness = new Harness()
    const size = batchOf().byteLength
    const log = harness.open({ segmentBytes: size * 2 })
    for (let i = 0; i < 5; i++) append(log, batchOf())
    harness.settle()
    assert.deepEqual(segmentsOf(harness), [0, 2, 4])
    assert.equal(readAll(harness, log).length, 5)
  })

  it('begins a new one when the record time is segment.ms after the first', () => {
    const harness = new Harness()
    const log = harness.open({ segmentMs: 1000 })
    append(log, batchOf(1, {}, 10, 5000))
    harness.settle()
    append(log, batchOf(1, {}, 10, 6000))
    harness.settle()
    append(log, batchOf(1, {}, 10, 6001))
    harness.settle()
    assert.deepEqual(segmentsOf(harness), [0, 2])
  })

  it('begins a new one when an index is full', () => {
    const harness = new Harness()
    const log = harness.open({ indexIntervalBytes: 0, segmentIndexBytes: 48 })
    for (let i = 0; i < 9; i++) {
      append(log, batchOf(1, {}, 10, 1000 + i))
      harness.settle()
    }
    assert.deepEqual(segmentsOf(harness), [0, 4, 8])
  })

  it('syncs the old segment, its indexes and the directory before it answers', () => {
    const harness = new Harness()
    const log = harness.open({ segmentBytes: 100 })
    append(log, batchOf(1, {}, 40), 'written')
    append(log, batchOf(1, {}, 40), 'written')
    const last = append(log, batchOf(1, {}, 40))
    harness.settle()
    assert.equal(last.told, NONE)
    harness.fs.crash()
    harness.start()
    const again = harness.open({ segmentBytes: 100 })
    assert.equal(again.logEndOffset, 3)
    assert.deepEqual(segmentsOf(harness), [0, 1, 2])
  })
})

describe('a log that is closed', () => {
  it('makes everything durable first, also with durability os', async () => {
    const harness = new Harness()
    const log = harness.open({ durability: 'os' })
    const outcome = append(log, batchOf(3))
    await harness.stop()
    assert.equal(outcome.told, NONE)
    harness.fs.crash()
    harness.start()
    assert.equal(harness.manager.isAfterCrash, false)
    assert.equal(harness.open().logEndOffset, 3)
  })

  it('refuses appends', async () => {
    const harness = new Harness()
    const log = harness.open()
    await harness.stop()
    assert.equal(append(log, batchOf()).errorCode, KAFKA_STORAGE_ERROR)
  })
})

describe('deleteRecordsBefore', () => {
  it('moves the log start and resolves when a crash cannot take that back', async () => {
    const harness = new Harness()
    const log = harness.open()
    for (let i = 0; i < 5; i++) append(log, batchOf())
    harness.settle()
    await harness.until(log.deleteRecordsBefore(3))
    assert.equal(log.logStartOffset, 3)
    assert.equal(
      harness.fs.readFile('/data/log-start-offset-checkpoint').toString(),
      '0\n1\nt 0 3\n',
    )
    harness.fs.crash()
    harness.start()
    assert.equal(harness.open().logStartOffset, 3)
  })

  it('removes segments that are below it as a whole', async () => {
    const harness = new Harness()
    const log = harness.open({ segmentBytes: 100 })
    for (let i = 0; i < 4; i++) append(log, batchOf(1, {}, 40))
    harness.settle()
    await harness.until(log.deleteRecordsBefore(2))
    assert.deepEqual(segmentsOf(harness), [2, 3])
  })

  it('refuses an offset above the high watermark', async () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf(), 'written')
    harness.finishTurn()
    await assert.rejects(
      harness.until(log.deleteRecordsBefore(1)),
      (error) => error instanceof BrokerError && error.code === ErrorCode.OFFSET_OUT_OF_RANGE,
    )
  })
})

describe('how much can be read', () => {
  it('is exact in memory and about right in files', async () => {
    const harness = new Harness()
    const log = harness.open()
    const size = batchOf().byteLength
    for (let i = 0; i < 1000; i++) append(log, batchOf())
    harness.settle()
    assert.equal(log.visibleBytes, size * 1000)
    assert.equal(log.bytesFrom(990), size * 10)
    assert.equal(log.bytesFrom(1000), 0)
    await harness.stop()
    harness.start()
    const again = harness.open()
    assert.equal(again.visibleBytes, 0)
    const about = again.bytesFrom(500)
    assert(about >= size * 500 && about <= size * 500 + 4096 + size * 2)
    append(again, batchOf(), 'written')
    harness.finishTurn()
    assert.equal(again.bytesFrom(500), about)
  })
})

function segmentsOf(harness: Harness): number[] {
  return harness.fs
    .list('/data/t-0')
    .filter((name) => name.endsWith('.log'))
    .map((name) => Number(name.slice(0, 20)))
}
