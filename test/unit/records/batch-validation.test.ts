import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../src/base/error-code.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { validateProduceBatch } from '../../../src/records/batch-validation.ts'
import { recompress } from '../../../src/records/recompression.ts'
import * as RecordBatch from '../../../src/records/record-batch.ts'
import { MAX_RECORD_ERRORS } from '../../../src/records/record-walk.ts'
import { CODECS, expectCode, HOUR_MS, NO_LIMIT_MS, RULES, record } from './produce-rules.ts'
import { VECTOR_TIME, vector } from './vectors.ts'

const { Codec, TimestampType } = RecordBatch

/** A batch changed by `change`, with the CRC made right again. */
function changed(change: (batch: Buffer) => void, options = {}): Buffer {
  const batch = buildBatch([record(), record(), record()], options)
  change(batch)
  RecordBatch.patchCrc(batch, 0)
  return batch
}

describe('validating a produced batch', () => {
  it('takes Kafka\u2019s batches of every codec and leaves their bytes alone', () => {
    for (const name of ['none', 'gzip', 'snappy', 'lz4', 'zstd', 'idempotent', 'transactional']) {
      const batch = vector(name)
      RecordBatch.patchBaseOffset(batch, 0, 0)
      const rules = { ...RULES, timestampAfterMaxMs: 50_000_000_000 }
      const outcome = validateProduceBatch(Buffer.from(batch), rules)
      expectCode(outcome, ErrorCode.NONE)
      assert.equal(outcome.errorMessage, null)
      assert.equal(outcome.logAppendTime, -1)
      assert.deepEqual(outcome.batch, batch, name)
    }
  })

  it('refuses every flipped bit that the CRC covers with CORRUPT_MESSAGE', () => {
    const batch = buildBatch([record(), record()])
    for (let bit = RecordBatch.CRC_POSITION * 8; bit < batch.length * 8; bit++) {
      const bad = Buffer.from(batch)
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7))
      expectCode(validateProduceBatch(bad, RULES), ErrorCode.CORRUPT_MESSAGE)
    }
  })

  it('refuses every truncation, and bytes or a second batch behind the first', () => {
    const batch = buildBatch([record()])
    for (let length = 0; length < batch.length; length++) {
      const cut = Buffer.from(batch.subarray(0, length))
      expectCode(validateProduceBatch(cut, RULES), ErrorCode.INVALID_RECORD)
    }
    const { INVALID_RECORD } = ErrorCode
    expectCode(validateProduceBatch(null, RULES), INVALID_RECORD)
    const two = Buffer.concat([batch, batch])
    expectCode(validateProduceBatch(two, RULES), INVALID_RECORD, /Exactly one/)
    const tail = Buffer.concat([batch, Buffer.alloc(1)])
    expectCode(validateProduceBatch(tail, RULES), INVALID_RECORD, /Exactly one/)
  })

  it('refuses magic 0 and 1 with INVALID_RECORD and unknown magic as corrupt', () => {
    for (const magic of [0, 1]) {
      const batch = changed((b) => b.writeInt8(magic, RecordBatch.MAGIC_POSITION))
      expectCode(validateProduceBatch(batch, RULES), ErrorCode.INVALID_RECORD, /magic 2/)
    }
    const batch = changed((b) => b.writeInt8(3, RecordBatch.MAGIC_POSITION))
    expectCode(validateProduceBatch(batch, RULES), ErrorCode.CORRUPT_MESSAGE)
  })

  it('refuses a length below the header and a batch above max.message.bytes', () => {
    const short = buildBatch([record()])
    short.writeInt32BE(20, RecordBatch.LENGTH_POSITION)
    expectCode(validateProduceBatch(short, RULES), ErrorCode.CORRUPT_MESSAGE)
    const batch = buildBatch([record()])
    const exact = { ...RULES, maxMessageBytes: batch.length }
    expectCode(validateProduceBatch(batch, exact), ErrorCode.NONE)
    const less = { ...RULES, maxMessageBytes: batch.length - 1 }
    expectCode(validateProduceBatch(batch, less), ErrorCode.MESSAGE_TOO_LARGE, /max.message.bytes/)
  })
})

describe('header fields of a produced batch', () => {
  const headerCases: readonly [string, (batch: Buffer) => void, RegExp][] = [
    ['a base offset other than 0', (b) => RecordBatch.patchBaseOffset(b, 0, 5), /Base offset/],
    ['a count of 0', (b) => b.writeInt32BE(0, RecordBatch.RECORD_COUNT_POSITION), /count 0/],
    ['a negative count', (b) => b.writeInt32BE(-3, RecordBatch.RECORD_COUNT_POSITION), /count -3/],
    [
      'a last offset delta that does not fit',
      (b) => b.writeInt32BE(7, RecordBatch.LAST_OFFSET_DELTA_POSITION),
      /delta 7/,
    ],
    ['a control batch', (b) => b.writeInt16BE(0x30, RecordBatch.ATTRIBUTES_POSITION), /control/],
    ['a delete horizon', (b) => b.writeInt16BE(0x40, RecordBatch.ATTRIBUTES_POSITION), /horizon/],
    [
      'a transactional batch without producer id',
      (b) => b.writeInt16BE(0x10, RecordBatch.ATTRIBUTES_POSITION),
      /no producer id/,
    ],
    [
      'a producer id with sequence -1',
      (b) => {
        b.writeBigInt64BE(9n, RecordBatch.PRODUCER_ID_POSITION)
        b.writeInt16BE(0, RecordBatch.PRODUCER_EPOCH_POSITION)
      },
      /sequence -1/,
    ],
    [
      'a producer id with epoch -1',
      (b) => b.writeBigInt64BE(9n, RecordBatch.PRODUCER_ID_POSITION),
      /epoch -1/,
    ],
    [
      'a producer id below -1',
      (b) => b.writeBigInt64BE(-2n, RecordBatch.PRODUCER_ID_POSITION),
      /producer id -2/,
    ],
  ]
  for (const [name, change, text] of headerCases) {
    it(`refuses ${name} with INVALID_RECORD`, () => {
      expectCode(validateProduceBatch(changed(change), RULES), ErrorCode.INVALID_RECORD, text)
    })
  }

  it('refuses unknown codecs, and zstd before Produce 7, with UNSUPPORTED_COMPRESSION_TYPE', () => {
    const { UNSUPPORTED_COMPRESSION_TYPE } = ErrorCode
    const unknown = changed((b) => b.writeInt16BE(6, RecordBatch.ATTRIBUTES_POSITION))
    expectCode(validateProduceBatch(unknown, RULES), UNSUPPORTED_COMPRESSION_TYPE)
    const zstd = buildBatch([record()], { codec: Codec.ZSTD })
    const old = { ...RULES, apiVersion: 6 }
    expectCode(validateProduceBatch(zstd, old), UNSUPPORTED_COMPRESSION_TYPE, /version 7/)
    expectCode(validateProduceBatch(zstd, { ...RULES, apiVersion: 7 }), ErrorCode.NONE)
  })
})

describe('keys in compacted topics', () => {
  const rules = { ...RULES, isCompacted: true }

  it('are required: INVALID_RECORD with one error per record, also when compressed', () => {
    for (const codec of CODECS) {
      const batch = buildBatch([record(), record(1, null), record(), record(2, null)], { codec })
      const outcome = validateProduceBatch(batch, rules)
      expectCode(outcome, ErrorCode.INVALID_RECORD, /2 record errors/)
      assert.deepEqual(
        outcome.recordErrors.map((error) => error.batchIndex),
        [1, 3],
      )
      assert.match(outcome.recordErrors[0]?.message ?? '', /message without key/)
      expectCode(validateProduceBatch(batch, RULES), ErrorCode.NONE)
    }
  })

  it('may be empty', () => {
    const batch = buildBatch([record(VECTOR_TIME, '')])
    expectCode(validateProduceBatch(batch, rules), ErrorCode.NONE)
  })

  it('missing in very many records are listed up to a bound', () => {
    const batch = buildBatch(Array.from({ length: 5000 }, () => record(VECTOR_TIME, null)))
    const outcome = validateProduceBatch(batch, rules)
    expectCode(outcome, ErrorCode.INVALID_RECORD)
    assert.equal(outcome.recordErrors.length, MAX_RECORD_ERRORS)
  })
})

describe('timestamps of a produced batch', () => {
  const { INVALID_TIMESTAMP, NONE } = ErrorCode

  it('beyond message.timestamp.after.max.ms are refused with record errors', () => {
    for (const codec of CODECS) {
      const last = VECTOR_TIME + HOUR_MS
      const batch = buildBatch([record(), record(last), record(last + 1)], { codec })
      const outcome = validateProduceBatch(batch, RULES)
      expectCode(outcome, INVALID_TIMESTAMP, /invalid timestamp/)
      assert.deepEqual(
        outcome.recordErrors.map((error) => error.batchIndex),
        [2],
      )
      assert.match(outcome.recordErrors[0]?.message ?? '', new RegExp(`Timestamp ${last + 1} of`))
    }
  })

  it('before message.timestamp.before.max.ms are refused, but not -1 for none', () => {
    const rules = { ...RULES, timestampBeforeMaxMs: 1000 }
    const first = buildBatch([record(VECTOR_TIME - 1000), record(-1)])
    expectCode(validateProduceBatch(first, rules), NONE)
    const before = buildBatch([record(VECTOR_TIME - 1001)])
    expectCode(validateProduceBatch(before, rules), INVALID_TIMESTAMP)
  })

  it('that no number holds exactly are refused', () => {
    const batch = changed((b) => b.writeBigInt64BE(2n ** 60n, RecordBatch.BASE_TIMESTAMP_POSITION))
    const rules = { ...RULES, timestampAfterMaxMs: NO_LIMIT_MS }
    expectCode(validateProduceBatch(batch, rules), INVALID_TIMESTAMP)
  })

  it('make the maximum right when the client wrote another, with a new CRC', () => {
    for (const codec of CODECS) {
      const batch = buildBatch([record(), record(VECTOR_TIME + 9)], { codec })
      const expected = Buffer.from(batch)
      batch.writeBigInt64BE(1n, RecordBatch.MAX_TIMESTAMP_POSITION)
      RecordBatch.patchCrc(batch, 0)
      const outcome = validateProduceBatch(batch, RULES)
      expectCode(outcome, NONE)
      assert.deepEqual(outcome.batch, expected)
    }
  })

  it('lose the LogAppendTime bit in a CreateTime topic', () => {
    const batch = buildBatch([record()], { logAppendTime: VECTOR_TIME + 99 })
    const outcome = validateProduceBatch(batch, RULES)
    expectCode(outcome, NONE)
    assert.equal(outcome.logAppendTime, -1)
    assert.deepEqual(outcome.batch, buildBatch([record()]))
  })

  it('are replaced by the broker\u2019s clock in a LogAppendTime topic, whatever they are', () => {
    const rules = { ...RULES, timestampType: TimestampType.LOG_APPEND_TIME, now: VECTOR_TIME + 5 }
    for (const codec of CODECS) {
      const batch = buildBatch([record(VECTOR_TIME + 365 * 24 * HOUR_MS)], { codec })
      const outcome = validateProduceBatch(batch, rules)
      expectCode(outcome, NONE)
      assert.equal(outcome.logAppendTime, VECTOR_TIME + 5)
      assert.equal(RecordBatch.timestampTypeOf(outcome.batch, 0), TimestampType.LOG_APPEND_TIME)
      assert.equal(RecordBatch.maxTimestampOf(outcome.batch, 0), VECTOR_TIME + 5)
      assert.ok(RecordBatch.isCrcValid(outcome.batch, 0))
    }
    const claims = buildBatch([record()], { logAppendTime: VECTOR_TIME })
    const outcome = validateProduceBatch(claims, rules)
    expectCode(outcome, INVALID_TIMESTAMP)
    assert.match(outcome.recordErrors[0]?.message ?? '', /should not set timestamp type/)
  })
})

describe('storing with the topic\u2019s compression.type', () => {
  it('turns every codec into every other with equal records', () => {
    for (const from of CODECS) {
      for (const to of CODECS) {
        const records = [record(), record(VECTOR_TIME + 1, null), record(VECTOR_TIME - 5)]
        const options = { producerId: 5, producerEpoch: 1, baseSequence: 3, isTransactional: true }
        const batch = buildBatch(records, { ...options, codec: from })
        const expected = buildBatch(records, { ...options, codec: to })
        const outcome = validateProduceBatch(Buffer.from(batch), { ...RULES, targetCodec: to })
        expectCode(outcome, ErrorCode.NONE)
        assert.deepEqual(outcome.batch, expected)
        assert.deepEqual(recompress(batch, to), expected)
      }
    }
  })

  it('checks max.message.bytes again', () => {
    const batch = buildBatch([{ timestamp: 1, value: Buffer.alloc(10_000) }], { codec: Codec.ZSTD })
    const rules = { ...RULES, maxMessageBytes: 5000, targetCodec: Codec.NONE }
    expectCode(validateProduceBatch(batch, rules), ErrorCode.MESSAGE_TOO_LARGE)
  })
})
