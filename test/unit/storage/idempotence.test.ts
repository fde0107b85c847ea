import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../src/base/error-code.ts'
import type { PartitionLog } from '../../../src/ports/partition-log.ts'
import { decodeProducerSnapshot } from '../../../src/records/internal/producer-snapshot.ts'
import { FakeClock } from '../support/ports.ts'
import { append, batchOf, Harness, type Outcome } from './log-harness.ts'

const { NONE, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, KAFKA_STORAGE_ERROR } =
  ErrorCode

/** Producers of records that are a day old would be forgotten at a start. */
const NOW_MS = new FakeClock().timeMs

/** Appends `count` records of producer 7 from a sequence on. */
function send(log: PartitionLog, baseSequence: number, count = 1, producerEpoch = 0): Outcome {
  return append(log, batchOf(count, { producerId: 7, producerEpoch, baseSequence }, 10, NOW_MS))
}

describe('idempotent produce (KIP-98)', () => {
  it('answers a retried batch with its first offset and appends nothing', () => {
    const harness = new Harness()
    const log = harness.open()
    for (let sequence = 0; sequence < 3; sequence++) send(log, sequence)
    harness.settle()
    for (let sequence = 0; sequence < 3; sequence++) {
      const again = send(log, sequence)
      harness.settle()
      assert.deepEqual([again.isDuplicate, again.baseOffset, again.told], [true, sequence, NONE])
    }
    assert.equal(log.highWatermark, 3)
    assert.equal(log.logEndOffset, 3)
  })

  it('remembers five batches: the sixth newest is out of order', () => {
    const harness = new Harness()
    const log = harness.open()
    for (let sequence = 0; sequence < 6; sequence++) send(log, sequence)
    harness.settle()
    assert.equal(send(log, 1).baseOffset, 1)
    assert.equal(send(log, 0).errorCode, OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  it('answers a duplicate with the LogAppendTime of the original', () => {
    const harness = new Harness()
    const log = harness.open()
    const options = { producerId: 7, producerEpoch: 0, baseSequence: 0 }
    append(log, batchOf(1, { ...options, logAppendTime: 5555 }))
    harness.settle()
    const again = append(log, batchOf(1, { ...options, logAppendTime: 7777 }))
    assert.equal(again.logAppendTimeMs, 5555)
  })

  it('takes first and last sequence together: another batch size is no duplicate', () => {
    const harness = new Harness()
    const log = harness.open()
    send(log, 0, 3)
    harness.settle()
    assert.equal(send(log, 0, 2).errorCode, OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  it('tells the waiter of a duplicate when the original is durable, not before', () => {
    const harness = new Harness()
    const log = harness.open()
    const original = send(log, 0)
    harness.finishTurn()
    const again = send(log, 0)
    harness.finishTurn()
    assert.deepEqual([again.isDuplicate, original.told, again.told], [true, undefined, undefined])
    harness.runDisk()
    assert.deepEqual([original.told, again.told], [NONE, NONE])
  })

  it('tells the waiter of a duplicate that its original failed', () => {
    const harness = new Harness()
    const log = harness.open()
    harness.fs.fault = (operation) => (operation === 'write' ? { code: 'ENOSPC' } : undefined)
    send(log, 0)
    const again = send(log, 0)
    harness.settle()
    assert.deepEqual([again.isDuplicate, again.told], [true, KAFKA_STORAGE_ERROR])
  })
})

describe('sequences and epochs of a producer (KIP-98)', () => {
  it('refuses a gap with OUT_OF_ORDER_SEQUENCE_NUMBER', () => {
    const harness = new Harness()
    const log = harness.open()
    send(log, 0, 3)
    const refused = send(log, 7)
    assert.equal(refused.errorCode, OUT_OF_ORDER_SEQUENCE_NUMBER)
    assert.match(refused.errorMessage ?? '', /sequence 7 of producer 7 .* does not follow 2/)
    harness.settle()
    assert.equal(refused.told, undefined)
  })

  it('refuses a lower epoch with INVALID_PRODUCER_EPOCH', () => {
    const harness = new Harness()
    const log = harness.open()
    send(log, 0, 1, 4)
    assert.equal(send(log, 1, 1, 3).errorCode, INVALID_PRODUCER_EPOCH)
  })

  it('accepts a higher epoch with sequence 0 only', () => {
    const harness = new Harness()
    const log = harness.open()
    send(log, 0, 5)
    assert.equal(send(log, 5, 1, 1).errorCode, OUT_OF_ORDER_SEQUENCE_NUMBER)
    assert.equal(send(log, 0, 1, 1).errorCode, NONE)
    assert.equal(send(log, 1, 1, 1).errorCode, NONE)
  })

  it('accepts any first sequence of an unknown producer: its state may have expired', () => {
    const harness = new Harness()
    const log = harness.open()
    assert.equal(send(log, 1234).errorCode, NONE)
    assert.equal(send(log, 1235).errorCode, NONE)
  })

  it('wraps sequences from 2147483647 to 0', () => {
    const harness = new Harness()
    const log = harness.open()
    send(log, 0x7fff_fffe, 4)
    harness.settle()
    assert.equal(send(log, 0x7fff_fffe, 4).isDuplicate, true)
    assert.equal(send(log, 1).errorCode, OUT_OF_ORDER_SEQUENCE_NUMBER)
    assert.equal(send(log, 2).errorCode, NONE)
  })
})

describe('producer state over stops', () => {
  it('goes on where it was after a clean stop', async () => {
    const harness = new Harness()
    const log = harness.open()
    for (let sequence = 0; sequence < 8; sequence++) send(log, sequence)
    await harness.stop()
    harness.start()
    const again = harness.open()
    for (let sequence = 3; sequence < 8; sequence++)
      assert.equal(send(again, sequence).isDuplicate, true)
    assert.equal(send(again, 9).errorCode, OUT_OF_ORDER_SEQUENCE_NUMBER)
    assert.equal(send(again, 8).baseOffset, 8)
  })

  it('after kill -9 duplicates have their original offsets and gaps are refused', () => {
    const harness = new Harness()
    const log = harness.open()
    for (let sequence = 0; sequence < 8; sequence++) send(log, sequence)
    harness.settle()
    harness.kill()
    harness.start()
    const again = harness.open()
    for (let sequence = 3; sequence < 8; sequence++) {
      const retried = send(again, sequence)
      assert.deepEqual([retried.isDuplicate, retried.baseOffset], [true, sequence])
    }
    assert.equal(send(again, 12).errorCode, OUT_OF_ORDER_SEQUENCE_NUMBER)
    harness.settle()
    assert.equal(again.highWatermark, 8)
  })

  it('knows all five newest batches after kill -9, although the segment rolled among them', () => {
    const harness = new Harness()
    const config = { segmentBytes: 150 }
    const log = harness.open(config)
    for (let sequence = 0; sequence < 8; sequence++) {
      send(log, sequence)
      harness.settle()
    }
    harness.kill()
    harness.start()
    const again = harness.open(config)
    for (let sequence = 3; sequence < 8; sequence++) {
      const retried = send(again, sequence)
      assert.deepEqual([retried.isDuplicate, retried.baseOffset], [true, sequence])
    }
    assert.equal(send(again, 2).errorCode, OUT_OF_ORDER_SEQUENCE_NUMBER)
  })
})

describe('producer state over a roll', () => {
  it('is in the snapshot of a roll without what comes behind it in the same turn', () => {
    const harness = new Harness()
    const log = harness.open({ segmentBytes: 150 })
    for (let sequence = 0; sequence < 4; sequence++) send(log, sequence)
    harness.settle()
    for (const offset of [1, 2, 3]) {
      const name = `${String(offset).padStart(20, '0')}.snapshot`
      const [entry] = decodeProducerSnapshot(harness.fs.readFile(harness.pathOf(name)))
      assert.deepEqual([entry?.lastSequence, entry?.lastOffset], [offset - 1, offset - 1])
    }
  })

  it('does not take what a crash took back for a duplicate, also over a roll in the same turn', () => {
    const harness = new Harness()
    const config = { segmentBytes: 150 }
    const log = harness.open(config)
    send(log, 0)
    harness.settle()
    // The first of these fills the segment, the others go into new ones in the same turn.
    for (let sequence = 1; sequence < 5; sequence++) send(log, sequence)
    harness.finishTurn()
    harness.fs.crash()
    harness.start()
    const again = harness.open(config)
    const end = again.logEndOffset
    assert(end >= 1 && end < 5)
    const retried = send(again, end)
    assert.deepEqual([retried.errorCode, retried.isDuplicate], [NONE, false])
  })

  it('forgets producers after producer.id.expiration.ms, but none with an open transaction', () => {
    const harness = new Harness({ producerIdExpirationCheckIntervalMs: 1000 })
    const log = harness.open({ producerIdExpirationMs: 10_000 })
    const now = harness.clock.timeMs
    harness.manager.start()
    append(log, batchOf(1, { producerId: 1, producerEpoch: 0, baseSequence: 0 }, 10, now))
    const open = { producerId: 2, producerEpoch: 0, baseSequence: 0, isTransactional: true }
    append(log, batchOf(1, open, 10, now))
    harness.settle()
    harness.scheduler.advance(9000)
    assert.equal(log.activeProducers().length, 2)
    harness.scheduler.advance(2000)
    assert.deepEqual(
      log.activeProducers().map(({ producerId }) => producerId),
      [2],
    )
  })
})
