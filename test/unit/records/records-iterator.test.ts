import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { buildBatch, type NewRecord } from '../../../src/records/batch-builder.ts'
import {
  buildEndTxnMarker,
  ControlRecordType,
  controlRecordTypeOf,
  coordinatorEpochOf,
} from '../../../src/records/control-batch.ts'
import { CorruptRecordError } from '../../../src/records/corrupt-record-error.ts'
import { Codec, isCrcValid, RECORD_COUNT_POSITION } from '../../../src/records/record-batch.ts'
import {
  batchPositions,
  findMaxTimestamp,
  findTimestamp,
  type LogRecord,
  recordsOf,
} from '../../../src/records/records-iterator.ts'
import { VECTOR_TIME, vector } from './vectors.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const text = (bytes: Buffer | null): string | null => bytes?.toString() ?? null
const one = (batch: Buffer): LogRecord => [...recordsOf(batch, 0)][0] as LogRecord

/** The records that RecordBatchVectors.java puts into its small batches. */
const MIXED: readonly NewRecord[] = [
  {
    timestamp: VECTOR_TIME,
    key: Buffer.from('key'),
    value: Buffer.from('value'),
    headers: [
      { key: 'h1', value: Buffer.from('one') },
      { key: 'leer', value: Buffer.alloc(0) },
      { key: '\u00fc', value: null },
    ],
  },
  { timestamp: VECTOR_TIME - 70_000, key: null, value: Buffer.from('no key, earlier') },
  { timestamp: VECTOR_TIME + 40_000_000_000, key: Buffer.from('tombstone'), value: null },
  { timestamp: VECTOR_TIME, key: Buffer.alloc(0), value: Buffer.alloc(0) },
]

describe('iterating records of Kafka\u2019s batches', () => {
  for (const codec of CODECS) {
    it(`gives every field with codec ${codec}`, () => {
      const records = [...recordsOf(vector(codec), 0)]
      assert.deepEqual(
        records.map((r) => [r.offset, r.timestamp, text(r.key), text(r.value)]),
        MIXED.map((r, i) => [
          42 + i,
          r.timestamp,
          text(r.key as Buffer | null),
          text(r.value as Buffer | null),
        ]),
      )
      assert.deepEqual(records[0]?.headers, MIXED[0]?.headers)
      assert.deepEqual(records[1]?.headers, [])
    })

    it(`gives the append time for LogAppendTime with codec ${codec}`, () => {
      for (const record of recordsOf(vector(`${codec}-append-time`), 0)) {
        assert.equal(record.timestamp, VECTOR_TIME + 5000)
      }
    })
  }

  for (const codec of CODECS.slice(1)) {
    it(`reads 300 records over several ${codec} blocks`, () => {
      let index = 0
      for (const record of recordsOf(vector(`${codec}-large`), 0)) {
        assert.equal(record.offset, 42 + index)
        assert.equal(text(record.value), `event ${index} `.repeat(60))
        index++
      }
      assert.equal(index, 300)
    })
  }

  it('finds the batches of a buffer and leaves a cut one out', () => {
    const whole = [vector('none'), vector('zstd'), vector('marker-abort')]
    const buffer = Buffer.concat([...whole, vector('lz4').subarray(0, 100)])
    const [a = 0, b = 0] = whole.map((batch) => batch.length)
    assert.deepEqual([...batchPositions(buffer)], [0, a, a + b])
    assert.throws(() => [...batchPositions(Buffer.alloc(100))], CorruptRecordError)
  })

  it('costs nothing for a count of 2147483647 in a small batch', () => {
    const batch = buildBatch([{ timestamp: 1 }])
    batch.writeInt32BE(0x7fffffff, RECORD_COUNT_POSITION)
    assert.ok(batch.length < 70)
    assert.throws(() => [...recordsOf(batch, 0)], CorruptRecordError)
  })
})

describe('building batches', () => {
  it('gives Kafka\u2019s own bytes for an uncompressed batch', () => {
    const options = { baseOffset: 42, partitionLeaderEpoch: 9 }
    assert.deepEqual(buildBatch(MIXED, options), vector('none'))
    assert.deepEqual(
      buildBatch(MIXED, { ...options, logAppendTime: VECTOR_TIME + 5000 }),
      vector('none-append-time'),
    )
    assert.deepEqual(
      buildBatch(MIXED, {
        ...options,
        producerId: 4321,
        producerEpoch: 7,
        baseSequence: 2147483646,
      }),
      vector('idempotent'),
    )
  })

  it('gives Kafka\u2019s own transaction markers, with key and value, but for offset and leader epoch', () => {
    for (const [name, type] of [
      ['marker-abort', ControlRecordType.ABORT],
      ['marker-commit', ControlRecordType.COMMIT],
    ] as const) {
      const marker = buildEndTxnMarker({
        producerId: 4321,
        producerEpoch: 8,
        type,
        coordinatorEpoch: 3,
        timestamp: VECTOR_TIME,
      })
      assert.equal(marker.toString('hex', 16), vector(name).toString('hex', 16))
      assert.equal(controlRecordTypeOf(one(marker).key), type)
      assert.equal(coordinatorEpochOf(one(marker).value), 3)
    }
    assert.equal(controlRecordTypeOf(null), -1)
    assert.equal(coordinatorEpochOf(Buffer.alloc(5)), -1)
  })

  const bytes = fc.option(fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b)))
  const header = fc.tuple(fc.string({ unit: 'grapheme' }), bytes)
  const record = fc
    .tuple(fc.integer({ min: 0, max: 4_000_000_000_000 }), bytes, bytes, fc.array(header))
    .map(([timestamp, key, value, headers]) => ({
      timestamp,
      key,
      value,
      headers: headers.map(([name, content]) => ({ key: name, value: content })),
    }))

  it('and iterating gives the same records, for every codec', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(...Object.values(Codec)),
        fc.maxSafeNat().map((n) => Math.trunc(n / 2)),
        (records, codec, base) => {
          const baseOffset = base
          const batch = buildBatch(records, { codec, baseOffset })
          assert.ok(isCrcValid(batch, 0))
          assert.deepEqual(
            [...recordsOf(batch, 0)],
            records.map((r, i) => ({
              offset: baseOffset + i,
              timestamp: r.timestamp,
              key: r.key,
              value: r.value,
              headers: r.headers,
            })),
          )
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('reading from an offset within a batch', () => {
  it('passes over what is before it, in every codec', () => {
    for (const codec of CODECS) {
      const all = [...recordsOf(vector(codec), 0)]
      for (const { offset } of all) {
        const rest = [...recordsOf(vector(codec), 0, undefined, offset)]
        assert.deepEqual(rest, all.slice(all.findIndex((record) => record.offset === offset)))
      }
    }
  })
})

describe('searching by timestamp', () => {
  const batch = vector('lz4')

  it('finds the first record at or after the time, though times are not in order', () => {
    assert.deepEqual(findTimestamp(batch, 0, 0), { timestamp: VECTOR_TIME, offset: 42 })
    assert.deepEqual(findTimestamp(batch, 0, VECTOR_TIME), { timestamp: VECTOR_TIME, offset: 42 })
    assert.equal(findTimestamp(batch, 0, VECTOR_TIME + 1)?.offset, 44)
    assert.equal(findTimestamp(batch, 0, VECTOR_TIME, 43)?.offset, 44)
    assert.equal(findTimestamp(batch, 0, VECTOR_TIME, 45)?.offset, 45)
    assert.equal(findTimestamp(batch, 0, VECTOR_TIME + 40_000_000_001), null)
  })

  it('finds the largest timestamp with the first offset that has it', () => {
    assert.deepEqual(findMaxTimestamp(batch, 0), {
      timestamp: VECTOR_TIME + 40_000_000_000,
      offset: 44,
    })
    assert.equal(findMaxTimestamp(vector('zstd-append-time'), 0)?.offset, 42)
  })
})
