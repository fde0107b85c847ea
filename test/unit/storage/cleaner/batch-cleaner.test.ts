import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BatchOptions, buildBatch } from '../../../../src/records/batch-builder.ts'
import { buildEndTxnMarker, ControlRecordType } from '../../../../src/records/control-batch.ts'
import { CorruptRecordError } from '../../../../src/records/corrupt-record-error.ts'
import {
  baseSequenceOf,
  baseTimestampOf,
  Codec,
  codecOf,
  hasDeleteHorizon,
  isControl,
  isCrcValid,
  isTransactional,
  lastOffsetOf,
  maxTimestampOf,
  partitionLeaderEpochOf,
  patchBaseOffset,
  producerEpochOf,
  producerIdOf,
  recordCountOf,
  TimestampType,
  timestampTypeOf,
} from '../../../../src/records/record-batch.ts'
import { recordsOf } from '../../../../src/records/records-iterator.ts'
import { type CleanRules, cleanBatch } from '../../../../src/storage/cleaner/batch-cleaner.ts'
import { CleanedTransactions } from '../../../../src/storage/cleaner/cleaned-transactions.ts'
import { OFFSET_MAP_SLOT_BYTES, OffsetMap } from '../../../../src/storage/cleaner/offset-map.ts'

const NOW = 1_000_000
const RETENTION = 5000

function rulesOf(newest: Record<string, number>, changes: Partial<CleanRules> = {}): CleanRules {
  // Nothing was put for the batches here: the keys decide.
  const span = { firstOffset: 0, offsetCount: 0 }
  const map = new OffsetMap(100 * OFFSET_MAP_SLOT_BYTES, 0.9, [1, 2, 3, 4], span)
  for (const [key, offset] of Object.entries(newest).sort((a, b) => a[1] - b[1]))
    map.put(Buffer.from(key), 0, Buffer.byteLength(key), offset)
  return {
    map,
    transactions: new CleanedTransactions([]),
    lastRecords: new Map(),
    upperBoundOffset: 1000,
    nowMs: NOW,
    deleteRetentionMs: RETENTION,
    ...changes,
  }
}

/** `a=1` is a record, `a` a tombstone, `=1` a record without key; timestamps count up from 500. */
function batchOf(text: string, options: BatchOptions = {}): Buffer {
  const records = text.split(' ').map((word, index) => {
    const [key, value] = word.split('=') as [string, string?]
    return {
      timestamp: 500 + index,
      key: key === '' ? null : Buffer.from(key),
      value: value === undefined ? null : Buffer.from(value),
      headers: [{ key: 'h', value: Buffer.from('x') }],
    }
  })
  return buildBatch(records, { partitionLeaderEpoch: 7, ...options })
}

function textOf(batch: Buffer): string {
  return Array.from(recordsOf(batch, 0), ({ offset, timestamp, key, value, headers }) => {
    assert.deepEqual(headers, [{ key: 'h', value: Buffer.from('x') }])
    return `${offset}:${key ?? ''}${value === null ? '' : `=${value}`}@${timestamp}`
  }).join(' ')
}

function cleaned(batch: Buffer, rules: CleanRules): Buffer {
  const result = cleanBatch(batch, 0, rules).batch
  assert(result !== null, 'something of the batch stays')
  assert(isCrcValid(result, 0))
  assert.equal(lastOffsetOf(result, 0), lastOffsetOf(batch, 0))
  assert.equal(partitionLeaderEpochOf(result, 0), 7)
  return result
}

describe('a batch under compaction', () => {
  it('stays as it is while all its records are the newest of their keys', () => {
    const batch = batchOf('a=1 b=2', { baseOffset: 10 })
    const result = cleanBatch(batch, 0, rulesOf({ a: 10, b: 11 }))
    assert.deepEqual(result.batch, batch)
    assert.equal(result.keptCount, 2)
  })

  for (const codec of Object.values(Codec)) {
    it(`loses replaced records, in codec ${codec}, but no offset, timestamp or header`, () => {
      const options = { baseOffset: 10, codec, producerId: 5, producerEpoch: 2, baseSequence: 30 }
      const batch = batchOf('a=1 b=2 c=3 a=4', options)
      const result = cleaned(batch, rulesOf({ c: 12, a: 13, b: 20 }))
      assert.equal(textOf(result), '12:c=3@502 13:a=4@503')
      assert.deepEqual([codecOf(result, 0), recordCountOf(result, 0)], [codec, 2])
      assert.deepEqual(
        [producerIdOf(result, 0), producerEpochOf(result, 0), baseSequenceOf(result, 0)],
        [5, 2, 30],
      )
      assert.deepEqual([baseTimestampOf(result, 0), maxTimestampOf(result, 0)], [502, 503])
    })
  }

  it('goes when none of its records stays', () => {
    const result = cleanBatch(batchOf('a=1 b=2'), 0, rulesOf({ a: 10, b: 11 }))
    assert.deepEqual([result.batch, result.keptCount], [null, 0])
  })

  it('keeps what is behind the map, whatever the key', () => {
    const batch = batchOf('a=1 =2', { baseOffset: 10 })
    assert.deepEqual(cleanBatch(batch, 0, rulesOf({ a: 9 })).batch, batch)
  })

  it('loses records without a key, and counts them', () => {
    const batch = batchOf('=1 a=2', { baseOffset: 10 })
    const result = cleanBatch(batch, 0, rulesOf({ a: 11 }))
    assert.deepEqual([result.keptCount, result.keylessCount], [1, 1])
  })

  it('keeps its largest timestamp among those that are left, and the append time in any case', () => {
    const late = batchOf('a=1 b=2 c=3')
    assert.equal(maxTimestampOf(cleaned(late, rulesOf({ a: 0, b: 9, c: 9 })), 0), 500)
    const appended = batchOf('a=1 b=2 c=3', { logAppendTime: 900 })
    const result = cleaned(appended, rulesOf({ a: 0, b: 9, c: 9 }))
    assert.equal(timestampTypeOf(result, 0), TimestampType.LOG_APPEND_TIME)
    assert.equal(textOf(result), '0:a=1@900')
  })

  it('is kept empty when it is the last of a living producer, or ends the round', () => {
    const batch = batchOf('a=1 b=2', { producerId: 5, producerEpoch: 1, baseSequence: 4 })
    const last = new Map([[5, { lastDataOffset: 1, producerEpoch: 1 }]])
    for (const rules of [
      rulesOf({ a: 10, b: 11 }, { lastRecords: last }),
      rulesOf({ a: 10, b: 11 }, { upperBoundOffset: 2 }),
    ]) {
      const result = cleaned(batch, rules)
      assert.deepEqual([result.length, recordCountOf(result, 0)], [61, 0])
      assert.deepEqual([baseTimestampOf(result, 0), maxTimestampOf(result, 0)], [-1, 501])
      assert.deepEqual([producerIdOf(result, 0), baseSequenceOf(result, 0)], [5, 4])
      // Empty as it is, it stays so.
      assert.deepEqual(cleaned(result, rules), result)
      assert.equal(cleanBatch(result, 0, rulesOf({})).batch, null)
    }
  })

  it('is refused when its records are no records', () => {
    const batch = batchOf('a=1')
    batch[61] = 0x7f
    assert.throws(() => cleanBatch(batch, 0, rulesOf({ a: 1 })), CorruptRecordError)
  })
})

describe('a tombstone under compaction (KIP-534)', () => {
  it('first gets a delete horizon, and goes once that has passed', () => {
    const batch = batchOf('a b=2', { baseOffset: 10, codec: Codec.ZSTD })
    const newest = { a: 10, b: 11 }
    const marked = cleaned(batch, rulesOf(newest))
    assert(hasDeleteHorizon(marked, 0))
    assert.equal(baseTimestampOf(marked, 0), NOW + RETENTION)
    assert.equal(textOf(marked), '10:a@500 11:b=2@501')
    const early = { nowMs: NOW + RETENTION - 1 }
    assert.deepEqual(cleaned(marked, rulesOf(newest, early)), marked)
    const result = cleaned(marked, rulesOf(newest, { nowMs: NOW + RETENTION }))
    assert.equal(textOf(result), '11:b=2@501')
    // As in Kafka: the horizon is not taken back.
    assert(hasDeleteHorizon(result, 0))
    assert.equal(baseTimestampOf(result, 0), NOW + RETENTION)
  })

  it('goes at once when its key has a newer record', () => {
    const result = cleaned(batchOf('a b=2'), rulesOf({ b: 1, a: 5 }))
    assert.deepEqual([textOf(result), hasDeleteHorizon(result, 0)], ['1:b=2@501', false])
  })
})

describe('transactions under compaction (KIP-98)', () => {
  const TRANSACTION = { producerId: 5, producerEpoch: 1, baseSequence: 0, isTransactional: true }
  const ENTRY = { producerId: 5, firstOffset: 10, lastOffset: 12, lastStableOffset: 13 }

  function markerAt(offset: number, type: 0 | 1): Buffer {
    const fields = { producerId: 5, producerEpoch: 1, coordinatorEpoch: 3, timestamp: 600 }
    const marker = buildEndTxnMarker({ ...fields, type })
    patchBaseOffset(marker, 0, offset)
    return marker
  }

  it('aborted records go and their marker outlives them by delete.retention.ms', () => {
    const transactions = new CleanedTransactions([ENTRY])
    const first = rulesOf({ a: 10, b: 11 }, { transactions })
    const data = batchOf('a=1 b=2', { baseOffset: 10, ...TRANSACTION })
    assert.equal(cleanBatch(data, 0, first).batch, null)
    const marker = markerAt(12, ControlRecordType.ABORT)
    const kept = cleanBatch(marker, 0, first)
    assert.deepEqual(kept, { batch: marker, keptCount: 1, keylessCount: 0, aborted: ENTRY })

    const second = rulesOf({}, { transactions: new CleanedTransactions([ENTRY]) })
    const marked = cleanBatch(marker, 0, second)
    assert.equal(marked.aborted, null)
    const horizon = marked.batch as Buffer
    assert(hasDeleteHorizon(horizon, 0) && isControl(horizon, 0) && isTransactional(horizon, 0))
    assert.deepEqual([...recordsOf(horizon, 0)], [...recordsOf(marker, 0)])

    assert.deepEqual(cleanBatch(horizon, 0, rulesOf({})).batch, horizon)
    assert.equal(cleanBatch(horizon, 0, rulesOf({}, { nowMs: NOW + RETENTION })).batch, null)
  })

  it('a commit marker stays while there is data of it, whatever its horizon says', () => {
    const data = batchOf('a=1', { baseOffset: 11, ...TRANSACTION })
    const marker = markerAt(12, ControlRecordType.COMMIT)
    const rules = rulesOf({ a: 11 })
    assert.deepEqual(cleanBatch(data, 0, rules).batch, data)
    assert.deepEqual(cleanBatch(marker, 0, rules).batch, marker)
    const orphan = cleanBatch(marker, 0, rulesOf({})).batch
    assert(orphan !== null && hasDeleteHorizon(orphan, 0))
  })

  it('the marker of a producer of which nothing else is known stays, empty in the end', () => {
    const lastRecords = new Map([[5, { lastDataOffset: -1, producerEpoch: 1 }]])
    const marker = markerAt(12, ControlRecordType.COMMIT)
    const horizon = cleanBatch(marker, 0, rulesOf({}, { lastRecords })).batch as Buffer
    const late = rulesOf({}, { lastRecords, nowMs: NOW + RETENTION })
    const result = cleanBatch(horizon, 0, late).batch as Buffer
    assert.deepEqual([result.length, isControl(result, 0), lastOffsetOf(result, 0)], [61, true, 12])
    assert.equal(cleanBatch(result, 0, rulesOf({})).batch, null)
  })

  it('one producer aborts and commits in turn: only the aborted records go', () => {
    const transactions = new CleanedTransactions([ENTRY])
    const rules = rulesOf({ a: 10, b: 13, c: 15 }, { transactions })
    const walk = [
      batchOf('a=1', { baseOffset: 10, ...TRANSACTION }),
      markerAt(12, ControlRecordType.ABORT),
      batchOf('b=1', { baseOffset: 13, ...TRANSACTION }),
      markerAt(14, ControlRecordType.COMMIT),
      batchOf('c=1', { baseOffset: 15 }),
    ]
    const stays = walk.map((batch) => cleanBatch(batch, 0, rules).batch !== null)
    assert.deepEqual(stays, [false, true, true, true, true])
  })

  it('a marker that is gone makes no later transaction of its producer an aborted one', () => {
    const transactions = new CleanedTransactions([ENTRY])
    const later = batchOf('a=1', { baseOffset: 13, ...TRANSACTION })
    assert.deepEqual(cleanBatch(later, 0, rulesOf({ a: 13 }, { transactions })).batch, later)
  })
})
