import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../src/base/error-code.ts'
import { append, batchOf, Harness, offsetsOf, readAll, readSlice } from './log-harness.ts'

const { NONE, KAFKA_STORAGE_ERROR } = ErrorCode

describe('a disk that stalls', () => {
  it('gets its writes from the thread pool once too much is un-synced', () => {
    const harness = new Harness({ maxUnsyncedBytes: 100 })
    const log = harness.open()
    append(log, batchOf(1, {}, 200), 'written')
    harness.finishTurn()
    const second = append(log, batchOf(1, {}, 200), 'written')
    harness.finishTurn()
    assert.equal(second.told, undefined)
    const third = append(log, batchOf(), 'written')
    harness.settle()
    assert.deepEqual([second.told, third.told], [NONE, NONE])
    assert.deepEqual(readAll(harness, log), [
      [0, 0],
      [1, 1],
      [2, 2],
    ])
  })
})

describe('a disk that fails', () => {
  it('a failed sync ends the log: it is never retried as if it worked', () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf())
    harness.settle()
    harness.fs.fault = (operation) => (operation === 'sync' ? { code: 'EIO' } : undefined)
    const lost = append(log, batchOf())
    harness.finishTurn()
    const behind = append(log, batchOf())
    harness.settle()
    harness.fs.fault = undefined
    assert.deepEqual([lost.told, behind.told], [KAFKA_STORAGE_ERROR, KAFKA_STORAGE_ERROR])
    assert.equal(harness.failures.length, 1)
    assert(log.isFailed)
    const refused = append(log, batchOf())
    assert.equal(refused.errorCode, KAFKA_STORAGE_ERROR)
    harness.settle()
    assert.equal(refused.told, undefined)
    assert.equal(log.highWatermark, 1)
    assert.deepEqual(offsetsOf(readSlice(harness, log, { endOffset: 99 })), [[0, 0]])
  })

  it('a failed write ends the log and tells everybody who waits', () => {
    const harness = new Harness()
    const log = harness.open()
    harness.fs.fault = (operation) => (operation === 'write' ? { code: 'EIO' } : undefined)
    const outcomes = [append(log, batchOf(), 'written'), append(log, batchOf())]
    harness.settle()
    assert.deepEqual(
      outcomes.map(({ told }) => told),
      [KAFKA_STORAGE_ERROR, KAFKA_STORAGE_ERROR],
    )
    assert(log.isFailed)
    assert.equal(harness.meter.count('spool_log_failed_total'), 1)
  })

  it('leaves no mark of a clean stop behind a log that failed', async () => {
    const harness = new Harness()
    const log = harness.open()
    harness.fs.fault = (operation) => (operation === 'sync' ? { code: 'EIO' } : undefined)
    append(log, batchOf())
    harness.settle()
    harness.fs.fault = undefined
    await harness.stop()
    assert.equal(harness.fs.stat('/data/.kafka_cleanshutdown'), undefined)
  })
})

describe('a full disk', () => {
  it('refuses the appends of the turn, gives their offsets again and goes on when there is space', () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf())
    harness.settle()
    const sizeBytes = log.sizeBytes
    harness.fs.fault = (operation, path) =>
      operation === 'write' && path.endsWith('.log')
        ? { code: 'ENOSPC', writtenBytes: 30 }
        : undefined
    const refused = [append(log, batchOf(), 'written'), append(log, batchOf(2))]
    harness.settle()
    assert.deepEqual(
      refused.map(({ told }) => told),
      [KAFKA_STORAGE_ERROR, KAFKA_STORAGE_ERROR],
    )
    assert.equal(log.isFailed, false)
    assert.equal(log.logEndOffset, 1)
    assert.equal(harness.fs.stat(harness.pathOf('00000000000000000000.log'))?.sizeBytes, sizeBytes)
    harness.fs.fault = undefined
    const outcome = append(log, batchOf())
    harness.settle()
    assert.deepEqual([outcome.baseOffset, outcome.told], [1, NONE])
    assert.deepEqual(readAll(harness, log), [
      [0, 0],
      [1, 1],
    ])
  })
})

describe('what a full disk refused', () => {
  it('forgets the leader epoch that only refused appends had', () => {
    const harness = new Harness()
    const log = harness.open({}, 't', 2)
    append(log, batchOf(3))
    harness.settle()
    log.setLeaderEpoch(5)
    harness.fs.fault = (operation) => (operation === 'write' ? { code: 'ENOSPC' } : undefined)
    append(log, batchOf())
    harness.settle()
    harness.fs.fault = undefined
    assert.equal(log.epochForOffset(3), 2)
    append(log, batchOf())
    harness.settle()
    assert.equal(log.epochForOffset(3), 5)
  })

  it('lets go of the bytes it refused', () => {
    const harness = new Harness()
    const log = harness.open()
    harness.fs.fault = (operation) => (operation === 'write' ? { code: 'ENOSPC' } : undefined)
    let holdCount = 0
    const lease = {
      heldBytes: 100,
      retain: () => void holdCount++,
      release: () => void holdCount--,
    }
    append(log, batchOf(), 'durable', lease)
    assert.equal(holdCount, 1)
    harness.settle()
    assert.equal(holdCount, 0)
  })

  it('forgets the sequences of the batches it refused, so that they can be sent again', () => {
    const harness = new Harness()
    const log = harness.open()
    const producer = { producerId: 9, producerEpoch: 0 }
    append(log, batchOf(2, { ...producer, baseSequence: 0 }))
    harness.settle()
    harness.fs.fault = (operation) => (operation === 'write' ? { code: 'ENOSPC' } : undefined)
    append(log, batchOf(1, { ...producer, baseSequence: 2 }))
    append(log, batchOf(1, { ...producer, baseSequence: 3 }))
    append(log, batchOf(1, { ...producer, producerEpoch: 1, baseSequence: 0 }))
    append(log, batchOf(1, { producerId: 10, producerEpoch: 0, baseSequence: 5 }))
    harness.settle()
    harness.fs.fault = undefined
    assert.deepEqual(
      log.activeProducers().map((p) => [p.producerId, p.producerEpoch, p.lastSequence]),
      [[9, 0, 1]],
    )
    const again = append(log, batchOf(1, { ...producer, baseSequence: 2 }))
    harness.settle()
    assert.deepEqual([again.baseOffset, again.isDuplicate, again.told], [2, false, NONE])
  })
})

describe('a full disk in the middle of other work', () => {
  it('refuses what an asynchronous write left behind too', () => {
    const harness = new Harness({ maxUnsyncedBytes: 0 })
    const log = harness.open()
    append(log, batchOf(), 'written')
    harness.finishTurn()
    harness.fs.fault = (operation) => (operation === 'write' ? { code: 'ENOSPC' } : undefined)
    const inFlight = append(log, batchOf(), 'written')
    harness.finishTurn()
    const behind = append(log, batchOf(), 'written')
    harness.settle()
    harness.fs.fault = undefined
    assert.deepEqual([inFlight.told, behind.told], [KAFKA_STORAGE_ERROR, KAFKA_STORAGE_ERROR])
    assert.equal(log.logEndOffset, 1)
    assert.equal(append(log, batchOf()).baseOffset, 1)
    harness.settle()
    assert.equal(log.highWatermark, 2)
  })

  it('refuses the turn when a new segment has no room, and rolls later', () => {
    const harness = new Harness()
    const log = harness.open({ segmentBytes: 200 })
    append(log, batchOf(1, {}, 80))
    harness.settle()
    harness.fs.fault = (operation, path) =>
      operation === 'write' && path.endsWith('.index') ? { code: 'ENOSPC' } : undefined
    const refused = append(log, batchOf(1, {}, 80))
    harness.settle()
    assert.equal(refused.told, KAFKA_STORAGE_ERROR)
    harness.fs.fault = undefined
    const outcome = append(log, batchOf(1, {}, 80))
    harness.settle()
    assert.deepEqual([outcome.baseOffset, outcome.told], [1, NONE])
    assert(harness.fs.stat(harness.pathOf('00000000000000000001.log')) !== undefined)
  })
})

describe('a file that was closed and cannot be opened again', () => {
  /** Two logs, of which only one may have its file open: that of the second. */
  function closedFile(config: Parameters<Harness['open']>[0] = {}) {
    const harness = new Harness({ maxGrowingFiles: 1, maxUnsyncedBytes: -1 })
    const log = harness.open(config)
    append(log, batchOf(), 'written')
    harness.settle()
    append(harness.open({}, 'other'), batchOf())
    harness.settle()
    harness.fs.fault = (operation, path) =>
      operation === 'open' && path.startsWith('/data/t-0/') ? { code: 'EIO' } : undefined
    return { harness, log }
  }

  it('ends the log and its stop when a write needs it', async () => {
    const { harness, log } = closedFile()
    const outcome = append(log, batchOf())
    harness.settle()
    assert.deepEqual([log.isFailed, outcome.told], [true, KAFKA_STORAGE_ERROR])
    harness.fs.fault = undefined
    await harness.stop()
  })

  it('ends the log when a sync by flush.ms needs it', async () => {
    const { harness, log } = closedFile({ durability: 'os', flushMs: 1000 })
    harness.scheduler.advance(1000)
    harness.settle()
    assert.equal(log.isFailed, true)
    harness.fs.fault = undefined
    await harness.stop()
  })
})
