import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as RecordBatch from '../../../src/records/record-batch.ts'
import { VECTOR_TIME, VECTORS, vector } from './vectors.ts'

describe('header of a record batch made by Kafka', () => {
  it('has a right CRC and its own length in every vector', () => {
    assert.ok(VECTORS.size > 15)
    for (const [name, batch] of VECTORS) {
      assert.equal(RecordBatch.sizeInBytesOf(batch, 0), batch.length, name)
      assert.equal(RecordBatch.magicOf(batch, 0), RecordBatch.MAGIC_V2, name)
      assert.ok(RecordBatch.isCrcValid(batch, 0), name)
    }
  })

  it('is read field by field, also behind other bytes', () => {
    const batch = Buffer.concat([Buffer.alloc(5), vector('transactional')])
    assert.equal(RecordBatch.baseOffsetOf(batch, 5), 42)
    assert.equal(RecordBatch.lastOffsetOf(batch, 5), 45)
    assert.equal(RecordBatch.lastOffsetDeltaOf(batch, 5), 3)
    assert.equal(RecordBatch.recordCountOf(batch, 5), 4)
    assert.equal(RecordBatch.partitionLeaderEpochOf(batch, 5), 9)
    assert.equal(RecordBatch.codecOf(batch, 5), RecordBatch.Codec.LZ4)
    assert.equal(RecordBatch.attributesOf(batch, 5), 0x13)
    assert.equal(RecordBatch.isTransactional(batch, 5), true)
    assert.equal(RecordBatch.isControl(batch, 5), false)
    assert.equal(RecordBatch.hasDeleteHorizon(batch, 5), false)
    assert.equal(RecordBatch.timestampTypeOf(batch, 5), RecordBatch.TimestampType.CREATE_TIME)
    assert.equal(RecordBatch.baseTimestampOf(batch, 5), VECTOR_TIME)
    assert.equal(RecordBatch.maxTimestampOf(batch, 5), VECTOR_TIME + 40_000_000_000)
    assert.equal(RecordBatch.producerIdOf(batch, 5), 4321)
    assert.equal(RecordBatch.producerEpochOf(batch, 5), 7)
    assert.equal(RecordBatch.baseSequenceOf(batch, 5), 12)
    assert.equal(RecordBatch.lastSequenceOf(batch, 5), 15)
  })

  it('of a batch without producer has -1 everywhere', () => {
    const batch = vector('none')
    assert.equal(RecordBatch.producerIdOf(batch, 0), RecordBatch.NO_PRODUCER_ID)
    assert.equal(RecordBatch.producerEpochOf(batch, 0), RecordBatch.NO_PRODUCER_EPOCH)
    assert.equal(RecordBatch.lastSequenceOf(batch, 0), RecordBatch.NO_SEQUENCE)
  })

  it('wraps sequences from 2147483647 to 0 (KIP-98)', () => {
    const batch = vector('idempotent')
    assert.equal(RecordBatch.baseSequenceOf(batch, 0), 2147483646)
    assert.equal(RecordBatch.lastSequenceOf(batch, 0), 1)
    assert.equal(RecordBatch.incrementSequence(2147483647, 1), 0)
  })
})

describe('patching a record batch', () => {
  it('sets base offset and leader epoch without touching what the CRC covers', () => {
    const batch = vector('zstd')
    const covered = batch.toString('hex', RecordBatch.CRC_POSITION)
    RecordBatch.patchBaseOffset(batch, 0, 2 ** 52 + 3)
    RecordBatch.patchLeaderEpoch(batch, 0, 77)
    assert.equal(RecordBatch.baseOffsetOf(batch, 0), 2 ** 52 + 3)
    assert.equal(batch.readBigInt64BE(0), 2n ** 52n + 3n)
    assert.equal(RecordBatch.partitionLeaderEpochOf(batch, 0), 77)
    assert.equal(batch.toString('hex', RecordBatch.CRC_POSITION), covered)
    assert.ok(RecordBatch.isCrcValid(batch, 0))
  })

  it('turns CreateTime into the LogAppendTime batch that Kafka makes, bit for bit', () => {
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      const batch = vector(codec)
      const type = RecordBatch.TimestampType.LOG_APPEND_TIME
      RecordBatch.patchMaxTimestamp(batch, 0, type, VECTOR_TIME + 5000)
      assert.equal(batch.toString('hex'), vector(`${codec}-append-time`).toString('hex'), codec)
    }
  })

  it('keeps the other attribute bits and comes back to the first bytes', () => {
    const batch = vector('marker-commit')
    const { CREATE_TIME, LOG_APPEND_TIME } = RecordBatch.TimestampType
    RecordBatch.patchMaxTimestamp(batch, 0, LOG_APPEND_TIME, -1)
    assert.equal(RecordBatch.attributesOf(batch, 0), 0x38)
    assert.equal(RecordBatch.maxTimestampOf(batch, 0), -1)
    assert.ok(RecordBatch.isCrcValid(batch, 0))
    RecordBatch.patchMaxTimestamp(batch, 0, CREATE_TIME, VECTOR_TIME)
    assert.deepEqual(batch, vector('marker-commit'))
  })
})
