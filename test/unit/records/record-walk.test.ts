import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ErrorCode } from '../../../src/base/error-code.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { validateProduceBatch } from '../../../src/records/batch-validation.ts'
import { compress } from '../../../src/records/compression.ts'
import * as RecordBatch from '../../../src/records/record-batch.ts'
import { recordsOf } from '../../../src/records/records-iterator.ts'
import { CODECS, expectCode, NO_LIMIT_MS, RULES, record } from './produce-rules.ts'
import { VECTOR_TIME } from './vectors.ts'

/** A batch whose records are the given bytes, compressed with `codec`. */
function batchOf(records: Buffer, count: number, codec: RecordBatch.Codec): Buffer {
  const body = compress(codec, records)
  const batch = Buffer.concat([buildBatch([record()]).subarray(0, 61), body])
  batch.writeInt32BE(batch.length - RecordBatch.LOG_OVERHEAD, RecordBatch.LENGTH_POSITION)
  batch.writeInt16BE(codec, RecordBatch.ATTRIBUTES_POSITION)
  batch.writeInt32BE(count - 1, RecordBatch.LAST_OFFSET_DELTA_POSITION)
  batch.writeInt32BE(count, RecordBatch.RECORD_COUNT_POSITION)
  RecordBatch.patchCrc(batch, 0)
  return batch
}

/** Length, attributes, timestamp delta, offset delta, key length, value length, header count. */
const MALFORMED_RECORDS: readonly [string, string, number][] = [
  ['an offset delta that is not 0', '0c000002010100', 1],
  ['a length below the fields', '0a000000010100', 1],
  ['a length above the fields', '0e00000001010000', 1],
  ['a length of 0', '00', 1],
  ['a negative length', '01', 1],
  ['a length that never ends', 'ffffffffffff', 1],
  ['a key longer than the record', '0c000000fe0100', 1],
  ['a key length of -2', '0c000000030100', 1],
  ['a value longer than the batch', '0c00000001feffffff0f00', 1],
  ['a value length of -2', '0c000000010300', 1],
  ['a negative header count', '0c000000010101', 1],
  ['2147483647 headers', '14000000010 1feffffff0f'.replace(' ', ''), 1],
  ['a header without key', '1000000001010201 01'.replace(' ', ''), 1],
  ['bytes after the last record', '0c00000001010000', 1],
  ['fewer records than counted', '0c000000010100', 2],
  ['a count of 2147483647', '0c000000010100', 0x7fffffff],
  ['nothing', '', 1],
]

describe('malformed records of a produced batch', () => {
  for (const codec of CODECS) {
    for (const [name, hex, count] of MALFORMED_RECORDS) {
      it(`refuses ${name} with INVALID_RECORD, codec ${codec}`, () => {
        const batch = batchOf(Buffer.from(hex, 'hex'), count, codec)
        expectCode(validateProduceBatch(batch, RULES), ErrorCode.INVALID_RECORD)
      })
    }

    it(`takes the same record when it is whole, codec ${codec}`, () => {
      const batch = batchOf(Buffer.from('0c000000010100', 'hex'), 1, codec)
      expectCode(validateProduceBatch(batch, RULES), ErrorCode.NONE)
    })
  }
})

describe('records of a produced batch', () => {
  it('takes numbers in more bytes than they need, and fields of any size', () => {
    const long = batchOf(Buffer.from('140080008000018000' + '8000', 'hex'), 1, 0)
    expectCode(validateProduceBatch(long, RULES), ErrorCode.NONE)
    const sizes = [0, 1, 63, 64, 8191, 8192, 300_000]
    const records = sizes.map((size, i) => ({
      timestamp: VECTOR_TIME - i * 3_000_000,
      key: Buffer.alloc(size),
      value: Buffer.alloc(size),
      headers: [{ key: 'h'.repeat(size % 100), value: size === 1 ? null : Buffer.alloc(size) }],
    }))
    const rules = { ...RULES, maxMessageBytes: 2_000_000 }
    expectCode(validateProduceBatch(buildBatch(records), rules), ErrorCode.NONE)
  })

  it('agrees with the iterator on any damaged records', () => {
    const good = buildBatch([record(), { ...record(), headers: [{ key: 'a', value: null }] }])
    fc.assert(
      fc.property(fc.nat(good.length - 62), fc.nat(255), (at, value) => {
        const bad = Buffer.from(good)
        bad[61 + at] = value
        RecordBatch.patchCrc(bad, 0)
        const rules = { ...RULES, timestampAfterMaxMs: NO_LIMIT_MS }
        const outcome = validateProduceBatch(Buffer.from(bad), rules)
        if (outcome.errorCode !== ErrorCode.NONE) return
        assert.deepEqual(
          [...recordsOf(bad, 0)].map((r) => r.offset),
          [0, 1],
        )
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses compressed bytes that are damaged, and a bomb with MESSAGE_TOO_LARGE', () => {
    for (const codec of CODECS.slice(1)) {
      const batch = buildBatch([record()], { codec })
      batch.fill(0xa5, 61)
      RecordBatch.patchCrc(batch, 0)
      expectCode(validateProduceBatch(batch, RULES), ErrorCode.INVALID_RECORD, /decompressed/)
      const bomb = buildBatch([{ timestamp: 1, value: Buffer.alloc(11_000_000) }], { codec })
      expectCode(validateProduceBatch(bomb, RULES), ErrorCode.MESSAGE_TOO_LARGE, /decompresses/)
    }
  })
})
