import { writeInt64 } from '../../base/int64.ts'
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../../base/varint.ts'
import { compress } from '../../records/compression.ts'
import {
  ATTRIBUTES_POSITION,
  attributesOf,
  BASE_TIMESTAMP_POSITION,
  baseTimestampOf,
  CODEC_MASK,
  type Codec,
  codecOf,
  DELETE_HORIZON_BIT,
  LENGTH_POSITION,
  LOG_OVERHEAD,
  MAX_TIMESTAMP_POSITION,
  maxTimestampOf,
  NO_TIMESTAMP,
  patchCrc,
  RECORD_BATCH_OVERHEAD,
  RECORD_COUNT_POSITION,
  TimestampType,
  timestampTypeOf,
} from '../../records/record-batch.ts'
import { type KeptRecords, PLACE_FIELDS } from './record-filter.ts'

/** The batch with its header only: it says what its producer sent last, and which offsets are gone. */
export function emptyBatch(buffer: Buffer, at: number): Buffer {
  const batch = Buffer.from(buffer.subarray(at, at + RECORD_BATCH_OVERHEAD))
  const attributes = attributesOf(buffer, at) & ~(CODEC_MASK | DELETE_HORIZON_BIT)
  return finish(batch, attributes, NO_TIMESTAMP, maxTimestampOf(buffer, at), 0)
}

/**
 * The batch with only some of its records; all else in its header stays, so that offsets and
 * sequences do. Source: MemoryRecords.buildRetainedRecordsInto, Kafka 4.4.
 * @param horizonMs from when tombstones and markers in it may go, -1: it has none of them (KIP-534)
 */
export function rewriteBatch(
  buffer: Buffer,
  at: number,
  kept: KeptRecords,
  horizonMs: number,
): Buffer {
  // What is added to a record's old delta to get the new one; with LogAppendTime, all have one time.
  const isAppendTime = timestampTypeOf(buffer, at) === TimestampType.LOG_APPEND_TIME
  const appendTimeMs = isAppendTime ? maxTimestampOf(buffer, at) : NO_TIMESTAMP
  const oldBaseMs = baseTimestampOf(buffer, at)
  const firstMs = isAppendTime ? appendTimeMs : oldBaseMs + (kept.places[0] as number)
  const newBaseMs = horizonMs === NO_TIMESTAMP ? firstMs : horizonMs
  const deltaOf = (place: number): number =>
    isAppendTime ? appendTimeMs - newBaseMs : (kept.places[place] as number) + oldBaseMs - newBaseMs
  let maxTimestampMs = NO_TIMESTAMP
  let byteCount = 0
  for (let place = 0; place < kept.places.length; place += PLACE_FIELDS) {
    const delta = deltaOf(place)
    maxTimestampMs = Math.max(maxTimestampMs, newBaseMs + delta)
    const body = bodyBytes(kept, place, delta)
    byteCount += sizeOfVarint(body) + body
  }
  const records = Buffer.allocUnsafe(byteCount)
  let end = 0
  for (let place = 0; place < kept.places.length; place += PLACE_FIELDS) {
    const delta = deltaOf(place)
    end = writeVarint(records, end, bodyBytes(kept, place, delta))
    records[end++] = 0
    end = writeVarlong(records, end, delta)
    end += kept.bytes.copy(records, end, kept.places[place + 1], kept.places[place + 2])
  }
  const body = compress(codecOf(buffer, at) as Codec, records)
  const batch = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD + body.length)
  buffer.copy(batch, 0, at, at + RECORD_BATCH_OVERHEAD)
  body.copy(batch, RECORD_BATCH_OVERHEAD)
  const others = attributesOf(buffer, at) & ~DELETE_HORIZON_BIT
  const attributes = horizonMs === NO_TIMESTAMP ? others : others | DELETE_HORIZON_BIT
  return finish(batch, attributes, newBaseMs, maxTimestampMs, kept.keptCount)
}

/** Bytes of a record after its length: one of unused attributes, the delta, and what never changes. */
function bodyBytes({ places }: KeptRecords, place: number, timestampDelta: number): number {
  const unchanged = (places[place + 2] as number) - (places[place + 1] as number)
  return 1 + sizeOfVarlong(timestampDelta) + unchanged
}

function finish(
  batch: Buffer,
  attributes: number,
  baseTimestampMs: number,
  maxTimestampMs: number,
  recordCount: number,
): Buffer {
  batch.writeInt32BE(batch.length - LOG_OVERHEAD, LENGTH_POSITION)
  batch.writeInt16BE(attributes, ATTRIBUTES_POSITION)
  writeInt64(batch, BASE_TIMESTAMP_POSITION, baseTimestampMs)
  writeInt64(batch, MAX_TIMESTAMP_POSITION, maxTimestampMs)
  batch.writeInt32BE(recordCount, RECORD_COUNT_POSITION)
  patchCrc(batch, 0)
  return batch
}
