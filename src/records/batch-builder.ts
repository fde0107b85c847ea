import { assert } from '../base/assert.ts'
import { writeInt64 } from '../base/int64.ts'
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../base/varint.ts'
import { compress } from './compression.ts'
import {
  ATTRIBUTES_POSITION,
  BASE_SEQUENCE_POSITION,
  BASE_TIMESTAMP_POSITION,
  CONTROL_BIT,
  Codec,
  LAST_OFFSET_DELTA_POSITION,
  LENGTH_POSITION,
  LOG_APPEND_TIME_BIT,
  LOG_OVERHEAD,
  MAGIC_POSITION,
  MAGIC_V2,
  MAX_TIMESTAMP_POSITION,
  NO_PARTITION_LEADER_EPOCH,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_SEQUENCE,
  NO_TIMESTAMP,
  PRODUCER_EPOCH_POSITION,
  PRODUCER_ID_POSITION,
  patchBaseOffset,
  patchCrc,
  patchLeaderEpoch,
  RECORD_BATCH_OVERHEAD,
  RECORD_COUNT_POSITION,
  TRANSACTIONAL_BIT,
} from './record-batch.ts'

/** A header to write. Its key is text (UTF-8). */
export interface NewRecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** A record to write. Missing key or value means null. */
export interface NewRecord {
  /** Milliseconds since 1970, or -1 for none. */
  readonly timestamp: number
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly headers?: readonly NewRecordHeader[]
}

/** How a batch is written; everything left out is Kafka's "none". */
export interface BatchOptions {
  readonly baseOffset?: number
  readonly partitionLeaderEpoch?: number
  readonly codec?: Codec
  readonly compressionLevel?: number
  /** Milliseconds; when given, the batch carries LogAppendTime and this as its maximum. */
  readonly logAppendTime?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
}

/**
 * Writes one batch v2 with the records at consecutive offsets. For internal topics, markers and the
 * embedded API; timestamps are relative to the first record's, as the Java client does it.
 */
export function buildBatch(records: readonly NewRecord[], options: BatchOptions = {}): Buffer {
  assert(records.length > 0, 'a batch has at least one record')
  const baseTimestamp = (records[0] as NewRecord).timestamp
  const codec = options.codec ?? Codec.NONE
  if (codec === Codec.NONE) {
    const batch = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD + sizeOfRecords(records, baseTimestamp))
    writeRecords(batch, RECORD_BATCH_OVERHEAD, records, baseTimestamp)
    return finishBatch(batch, records, options)
  }
  const plain = Buffer.allocUnsafe(sizeOfRecords(records, baseTimestamp))
  writeRecords(plain, 0, records, baseTimestamp)
  const compressed = compress(codec, plain, options.compressionLevel)
  const batch = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD + compressed.length)
  compressed.copy(batch, RECORD_BATCH_OVERHEAD)
  return finishBatch(batch, records, options)
}

/**
 * A batch without records that takes up offsets, as compaction leaves one behind.
 * @param offsetCount 1 to 2^31
 */
export function emptyBatch(offsetCount: number): Buffer {
  const batch = Buffer.alloc(RECORD_BATCH_OVERHEAD)
  finishBatch(batch, [], {})
  batch.writeInt32BE(offsetCount - 1, LAST_OFFSET_DELTA_POSITION)
  patchCrc(batch, 0)
  return batch
}

function finishBatch(batch: Buffer, records: readonly NewRecord[], options: BatchOptions): Buffer {
  let maxTimestamp = options.logAppendTime ?? NO_TIMESTAMP
  if (options.logAppendTime === undefined) {
    for (const record of records) maxTimestamp = Math.max(maxTimestamp, record.timestamp)
  }
  patchBaseOffset(batch, 0, options.baseOffset ?? 0)
  batch.writeInt32BE(batch.length - LOG_OVERHEAD, LENGTH_POSITION)
  patchLeaderEpoch(batch, 0, options.partitionLeaderEpoch ?? NO_PARTITION_LEADER_EPOCH)
  batch.writeInt8(MAGIC_V2, MAGIC_POSITION)
  batch.writeInt16BE(attributesFor(options), ATTRIBUTES_POSITION)
  batch.writeInt32BE(records.length - 1, LAST_OFFSET_DELTA_POSITION)
  writeInt64(batch, BASE_TIMESTAMP_POSITION, records[0]?.timestamp ?? NO_TIMESTAMP)
  writeInt64(batch, MAX_TIMESTAMP_POSITION, maxTimestamp)
  writeInt64(batch, PRODUCER_ID_POSITION, options.producerId ?? NO_PRODUCER_ID)
  batch.writeInt16BE(options.producerEpoch ?? NO_PRODUCER_EPOCH, PRODUCER_EPOCH_POSITION)
  batch.writeInt32BE(options.baseSequence ?? NO_SEQUENCE, BASE_SEQUENCE_POSITION)
  batch.writeInt32BE(records.length, RECORD_COUNT_POSITION)
  patchCrc(batch, 0)
  return batch
}

function attributesFor(options: BatchOptions): number {
  return (
    (options.codec ?? Codec.NONE) |
    (options.logAppendTime === undefined ? 0 : LOG_APPEND_TIME_BIT) |
    (options.isTransactional ? TRANSACTIONAL_BIT : 0) |
    (options.isControl ? CONTROL_BIT : 0)
  )
}

function sizeOfRecords(records: readonly NewRecord[], baseTimestamp: number): number {
  let size = 0
  let offsetDelta = 0
  for (const record of records) {
    const body = sizeOfBody(record, record.timestamp - baseTimestamp, offsetDelta++)
    size += sizeOfVarint(body) + body
  }
  return size
}

function writeRecords(
  buffer: Buffer,
  position: number,
  records: readonly NewRecord[],
  baseTimestamp: number,
): void {
  let at = position
  let offsetDelta = 0
  for (const record of records) {
    const timestampDelta = record.timestamp - baseTimestamp
    at = writeVarint(buffer, at, sizeOfBody(record, timestampDelta, offsetDelta))
    buffer[at++] = 0
    at = writeVarlong(buffer, at, timestampDelta)
    at = writeVarint(buffer, at, offsetDelta++)
    at = writeNullableBytes(buffer, at, record.key ?? null)
    at = writeNullableBytes(buffer, at, record.value ?? null)
    const headers = record.headers ?? []
    at = writeVarint(buffer, at, headers.length)
    for (const header of headers) {
      const keyBytes = Buffer.byteLength(header.key)
      at = writeVarint(buffer, at, keyBytes)
      at += buffer.write(header.key, at, keyBytes)
      at = writeNullableBytes(buffer, at, header.value)
    }
  }
}

/** Bytes of a record after its length field; the 1 is the unused attributes byte. */
function sizeOfBody(record: NewRecord, timestampDelta: number, offsetDelta: number): number {
  const headers = record.headers ?? []
  let size = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta)
  size += sizeOfNullableBytes(record.key ?? null) + sizeOfNullableBytes(record.value ?? null)
  size += sizeOfVarint(headers.length)
  for (const header of headers) {
    const keyBytes = Buffer.byteLength(header.key)
    size += sizeOfVarint(keyBytes) + keyBytes + sizeOfNullableBytes(header.value)
  }
  return size
}

function sizeOfNullableBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : sizeOfVarint(bytes.length) + bytes.length
}

function writeNullableBytes(buffer: Buffer, position: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(buffer, position, -1)
  const at = writeVarint(buffer, position, bytes.length)
  buffer.set(bytes, at)
  return at + bytes.length
}
