import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../src/base/error-code.ts'
import type { LogConfig, PartitionLog } from '../../../src/ports/partition-log.ts'
import { buildEndTxnMarker, ControlRecordType } from '../../../src/records/control-batch.ts'
import { append, batchOf, Harness, readSlice } from './log-harness.ts'

const { NONE, INVALID_TXN_STATE, INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED } =
  ErrorCode

const sequences = new Map<string, number>()

function send(log: PartitionLog, producerId: number, isTransactional = true, producerEpoch = 0) {
  const key = `${producerId}/${producerEpoch}`
  const baseSequence = log.logEndOffset === 0 ? 0 : (sequences.get(key) ?? 0)
  const outcome = append(
    log,
    batchOf(1, { producerId, producerEpoch, baseSequence, isTransactional }),
  )
  if (outcome.errorCode === NONE) sequences.set(key, baseSequence + 1)
  return outcome
}

function end(
  log: PartitionLog,
  producerId: number,
  type: 'ABORT' | 'COMMIT',
  producerEpoch = 0,
  coordinatorEpoch = 0,
) {
  return append(
    log,
    buildEndTxnMarker({
      producerId,
      producerEpoch,
      type: ControlRecordType[type],
      coordinatorEpoch,
      timestamp: 2000,
    }),
  )
}

function openLog(harness: Harness, config: Partial<LogConfig> = {}): PartitionLog {
  sequences.clear()
  return harness.open(config)
}

describe('the last stable offset', () => {
  it('is the first offset of the oldest open transaction, then follows the high watermark', () => {
    const harness = new Harness()
    const log = openLog(harness)
    append(log, batchOf())
    send(log, 1)
    append(log, batchOf())
    harness.settle()
    assert.deepEqual([log.highWatermark, log.lastStableOffset], [3, 1])
    end(log, 1, 'ABORT')
    harness.settle()
    assert.deepEqual([log.highWatermark, log.lastStableOffset], [4, 4])
  })

  it('does not move before the marker is below the high watermark', () => {
    const harness = new Harness()
    const log = openLog(harness)
    send(log, 1)
    harness.settle()
    end(log, 1, 'COMMIT')
    harness.finishTurn()
    assert.equal(log.lastStableOffset, 0)
    harness.settle()
    assert.equal(log.lastStableOffset, 2)
  })

  it('waits for the oldest of several transactions', () => {
    const harness = new Harness()
    const log = openLog(harness)
    send(log, 1)
    send(log, 2)
    end(log, 2, 'COMMIT')
    harness.settle()
    assert.equal(log.lastStableOffset, 0)
    end(log, 1, 'COMMIT')
    harness.settle()
    assert.equal(log.lastStableOffset, 4)
  })
})

describe('the last stable offset over stops', () => {
  for (const stop of ['a clean stop', 'kill -9']) {
    it(`is kept over ${stop}`, async () => {
      const harness = new Harness()
      const log = openLog(harness)
      append(log, batchOf())
      send(log, 1)
      send(log, 1)
      harness.settle()
      if (stop === 'kill -9') harness.kill()
      else await harness.stop()
      harness.start()
      const again = harness.open()
      assert.deepEqual([again.highWatermark, again.lastStableOffset], [3, 1])
      assert.equal(again.activeProducers()[0]?.currentTransactionFirstOffset, 1)
      end(again, 1, 'COMMIT')
      harness.settle()
      assert.equal(again.lastStableOffset, 4)
    })
  }

  it('goes back when the marker found no space', () => {
    const harness = new Harness()
    const log = openLog(harness)
    send(log, 1)
    send(log, 2)
    harness.settle()
    harness.fs.fault = (operation) => (operation === 'write' ? { code: 'ENOSPC' } : undefined)
    end(log, 1, 'COMMIT')
    send(log, 3)
    harness.settle()
    harness.fs.fault = undefined
    assert.equal(log.lastStableOffset, 0)
    end(log, 1, 'COMMIT')
    harness.settle()
    assert.equal(log.lastStableOffset, 1)
    end(log, 2, 'COMMIT')
    harness.settle()
    assert.equal(log.lastStableOffset, 4)
  })
})

describe('transactional appends', () => {
  it('refuses a plain batch of a producer with an open transaction', () => {
    const log = openLog(new Harness())
    send(log, 1)
    assert.equal(send(log, 1, false).errorCode, INVALID_TXN_STATE)
  })

  it('refuses a marker of an older producer epoch, and of an older coordinator', () => {
    const log = openLog(new Harness())
    send(log, 1, true, 3)
    assert.equal(end(log, 1, 'COMMIT', 2).errorCode, INVALID_PRODUCER_EPOCH)
    assert.equal(end(log, 1, 'COMMIT', 3, 5).errorCode, NONE)
    assert.equal(end(log, 1, 'COMMIT', 3, 4).errorCode, TRANSACTION_COORDINATOR_FENCED)
  })

  it('begins at sequence 0 after a marker with a bumped epoch (KIP-890)', () => {
    const log = openLog(new Harness())
    send(log, 1)
    assert.equal(end(log, 1, 'COMMIT', 1).errorCode, NONE)
    assert.equal(send(log, 1).errorCode, INVALID_PRODUCER_EPOCH)
    assert.equal(send(log, 1, true, 1).errorCode, NONE)
  })
})

describe('aborted transactions', () => {
  function prepared(config: Partial<LogConfig> = {}) {
    const harness = new Harness()
    const log = openLog(harness, config)
    send(log, 1)
    send(log, 2)
    end(log, 1, 'ABORT')
    end(log, 2, 'COMMIT')
    append(log, batchOf())
    send(log, 1)
    end(log, 1, 'ABORT')
    harness.settle()
    return { harness, log }
  }

  function abortedIn(harness: Harness, log: PartitionLog, offset: number, endOffset: number) {
    const request = { offset, endOffset, includeAborted: true }
    const slice = readSlice(harness, log, request)
    slice.release()
    return slice.abortedTransactions
  }

  it('are told with the slice they overlap, and not at all unless asked', () => {
    const { harness, log } = prepared()
    const first = { producerId: 1, firstOffset: 0 }
    const second = { producerId: 1, firstOffset: 5 }
    assert.deepEqual(abortedIn(harness, log, 0, 7), [first, second])
    assert.deepEqual(abortedIn(harness, log, 0, 5), [first])
    assert.deepEqual(abortedIn(harness, log, 3, 5), [])
    assert.deepEqual(abortedIn(harness, log, 5, 7), [second])
    assert.deepEqual(abortedIn(harness, log, 7, 7), [])
    assert.equal(readSlice(harness, log).abortedTransactions, null)
  })

  it('are found in later segments than the records', () => {
    const { harness, log } = prepared({ segmentBytes: 100 })
    assert.equal(abortedIn(harness, log, 0, 1)?.length, 1)
    assert.equal(abortedIn(harness, log, 5, 6)?.length, 1)
  })

  for (const stop of ['a clean stop', 'kill -9', 'a power failure']) {
    it(`are known after ${stop}`, async () => {
      const { harness } = prepared({ segmentBytes: 100 })
      if (stop === 'kill -9') harness.kill()
      else if (stop === 'a power failure') harness.fs.crash()
      else await harness.stop()
      harness.start()
      const log = harness.open({ segmentBytes: 100 })
      assert.equal(log.logEndOffset, 7)
      assert.equal(abortedIn(harness, log, 0, 1)?.length, 1)
      assert.equal(abortedIn(harness, log, 5, 6)?.length, 1)
      assert.equal(abortedIn(harness, log, 4, 5)?.length, 0)
    })
  }
})
