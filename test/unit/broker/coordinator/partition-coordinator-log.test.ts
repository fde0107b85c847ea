import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { UNPOOLED } from '../../../../src/base/lease.ts'
import { PartitionCoordinatorLog } from '../../../../src/broker/coordinator/partition-coordinator-log.ts'
import { Partition } from '../../../../src/broker/topics/partition.ts'
import { buildBatch } from '../../../../src/records/batch-builder.ts'
import { buildEndTxnMarker, ControlRecordType } from '../../../../src/records/control-batch.ts'
import { MemoryLog } from '../../support/memory-log.ts'

const TOPIC_ID = 'c3Bvb2wtdG9waWMtaWQwMQ'

function makeLog(): { log: MemoryLog; coordinatorLog: PartitionCoordinatorLog } {
  const partition = new Partition('__consumer_offsets', TOPIC_ID, 3)
  const log = new MemoryLog('__consumer_offsets', TOPIC_ID, 3, partition)
  log.isSlow = true
  partition.attach(log)
  return { log, coordinatorLog: new PartitionCoordinatorLog(partition) }
}

const record = (key: string, value: string | null) => ({
  key: Buffer.from(key),
  value: value === null ? null : Buffer.from(value),
})

function replayText(coordinatorLog: PartitionCoordinatorLog): {
  seen: string[]
  isDone: () => boolean
  error: () => Error | null
} {
  const seen: string[] = []
  let isDone = false
  let failure: Error | null = null
  coordinatorLog.replay(
    {
      record: (key, value, offset, producerId) =>
        void seen.push(`${offset} ${key} ${value ?? 'tombstone'} ${producerId}`),
      transactionEnded: (producerId, isCommitted) =>
        void seen.push(`${producerId} ${isCommitted ? 'committed' : 'aborted'}`),
    },
    (error) => {
      isDone = true
      failure = error
    },
  )
  return { seen, isDone: () => isDone, error: () => failure }
}

describe('the log of a coordinator on a partition', () => {
  it('tells appends in order once they are durable', () => {
    const { log, coordinatorLog } = makeLog()
    const told: string[] = []
    for (const name of ['a', 'b']) {
      const code = coordinatorLog.append(
        [record(name, '1'), record(name, null)],
        null,
        5,
        (errorCode) => told.push(`${name} ${errorCode}`),
      )
      assert.equal(code, ErrorCode.NONE)
    }
    assert.deepEqual(told, [])
    log.flush()
    assert.deepEqual(told, ['a 0', 'b 0'])
    assert.equal(log.logEndOffset, 4)
  })

  it('returns the error of a refused append and never tells it again', () => {
    const { log, coordinatorLog } = makeLog()
    log.nextAppendError = ErrorCode.KAFKA_STORAGE_ERROR
    const code = coordinatorLog.append([record('a', '1')], null, 5, () => assert.fail('told'))
    assert.equal(code, ErrorCode.KAFKA_STORAGE_ERROR)
    log.flush()
  })

  it('replays records, tombstones and the ends of transactions', () => {
    const { log, coordinatorLog } = makeLog()
    const append = (batch: Buffer) => {
      const waiter = { appendDone() {} }
      const rest = { lease: UNPOOLED, safety: 'durable', waiter, slot: 0 } as const
      log.append({ batch, ...rest, logAppendTimeMs: -1 })
    }
    coordinatorLog.append([record('a', '1'), record('b', null)], null, 5, () => {})
    const transaction = { producerId: 9, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    append(buildBatch([{ timestamp: 5, ...record('c', '2') }], transaction))
    const marker = { producerId: 9, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 5 }
    append(buildEndTxnMarker({ ...marker, type: ControlRecordType.COMMIT }))
    append(buildEndTxnMarker({ ...marker, type: ControlRecordType.ABORT }))
    log.flush()
    const { seen, isDone } = replayText(coordinatorLog)
    assert.ok(isDone())
    assert.deepEqual(seen, ['0 a 1 -1', '1 b tombstone -1', '2 c 2 9', '9 committed', '9 aborted'])
  })

  it('waits for a disk, and tells when it failed', () => {
    const { log, coordinatorLog } = makeLog()
    coordinatorLog.append([record('a', '1')], null, 5, () => {})
    log.flush()
    log.isCold = true
    const slow = replayText(coordinatorLog)
    assert.ok(!slow.isDone())
    log.finishReads()
    assert.deepEqual([slow.isDone(), slow.error(), slow.seen.length], [true, null, 1])
    const broken = replayText(coordinatorLog)
    log.finishReads(new Error('the disk broke'))
    assert.match(String(broken.error()), /the disk broke/)
    assert.equal(log.openSliceCount, 0)
  })

  it('can not be used once storage failed', () => {
    const { log, coordinatorLog } = makeLog()
    const told: number[] = []
    coordinatorLog.append([record('a', '1')], null, 5, (errorCode) => told.push(errorCode))
    assert.ok(coordinatorLog.isUsable)
    log.fail()
    assert.ok(!coordinatorLog.isUsable)
    assert.deepEqual(told, [ErrorCode.KAFKA_STORAGE_ERROR])
  })
})

describe('a damaged log of a coordinator', () => {
  it('is read again, and given up when it stays damaged', () => {
    const flipped = (flipCount: number) => {
      const { log, coordinatorLog } = makeLog()
      coordinatorLog.append([record('a', '1')], null, 5, () => undefined)
      log.flush()
      const read = log.read.bind(log)
      let left = flipCount
      log.read = (request, done) => {
        const slice = read(request, done)
        if (slice === null || left-- <= 0) return slice
        const pieces = slice.pieces.map((piece) => Buffer.from(piece))
        for (const piece of pieces) piece.writeUInt8(piece.readUInt8(62) ^ 4, 62)
        return { ...slice, pieces }
      }
      return replayText(coordinatorLog)
    }
    const once = flipped(1)
    assert.deepEqual([once.seen, once.error()], [['0 a 1 -1'], null])
    const always = flipped(100)
    assert.deepEqual(always.seen, [])
    assert.match(String(always.error()), /damaged behind offset 0/)
  })
})
