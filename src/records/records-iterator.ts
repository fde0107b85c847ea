import { type Cursor, readVarint, readVarlong } from '../base/varint.ts'
import { DEFAULT_MAX_DECOMPRESSED_BYTES, decompress } from './compression.ts'
import { CorruptRecordError } from './corrupt-record-error.ts'
import {
  baseOffsetOf,
  baseTimestampOf,
  Codec,
  codecOf,
  isCrcValid,
  isKnownCodec,
  lastOffsetOf,
  MAGIC_V2,
  magicOf,
  maxTimestampOf,
  RECORD_BATCH_OVERHEAD,
  recordCountOf,
  sizeInBytesOf,
  TimestampType,
  timestampTypeOf,
} from './record-batch.ts'

/** A header of a record; the value may be null. */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** One record. Its buffers are views into the batch (or its decompressed copy): copy to keep. */
export interface LogRecord {
  readonly offset: number
  /** Milliseconds; the batch's append time when its timestamp type is LogAppendTime. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

/** An offset with the timestamp of its record, as ListOffsets answers it. */
export interface TimestampAndOffset {
  readonly timestamp: number
  readonly offset: number
}

/**
 * Positions of the whole batches in `buffer[start, end)`; a cut batch at the end is left out.
 * @throws CorruptRecordError when the bytes there cannot be a v2 batch
 */
export function* batchPositions(buffer: Buffer, start = 0, end = buffer.length): Generator<number> {
  let position = start
  while (end - position >= RECORD_BATCH_OVERHEAD) {
    const size = sizeInBytesOf(buffer, position)
    if (size < RECORD_BATCH_OVERHEAD || magicOf(buffer, position) !== MAGIC_V2) {
      throw new CorruptRecordError(`no record batch v2 at position ${position}`)
    }
    if (size > end - position) return
    yield position
    position += size
  }
}

/** True when the whole batches in `buffer` have the right CRC and offsets that rise. */
export function areBatchesIntact(buffer: Buffer): boolean {
  let lastOffset = -1
  try {
    for (const position of batchPositions(buffer)) {
      if (!isCrcValid(buffer, position) || baseOffsetOf(buffer, position) <= lastOffset)
        return false
      lastOffset = lastOffsetOf(buffer, position)
    }
  } catch (error) {
    if (error instanceof CorruptRecordError) return false
    throw error
  }
  return true
}

/**
 * The bytes of a batch's records, decompressed when they have to be.
 * @throws CorruptRecordError for an unknown codec or bad bytes, `isTooLarge` beyond the limit
 */
export function recordBytesOf(
  buffer: Buffer,
  position: number,
  maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES,
): Buffer {
  const codec = codecOf(buffer, position)
  if (!isKnownCodec(codec)) throw new CorruptRecordError(`unknown compression codec ${codec}`)
  const end = position + sizeInBytesOf(buffer, position)
  const bytes = buffer.subarray(position + RECORD_BATCH_OVERHEAD, end)
  return codec === Codec.NONE ? bytes : decompress(codec, bytes, maxDecompressedBytes)
}

/**
 * The records of the batch at `position`, in order. For replay, tools and searches; the fetch path
 * sends batches as they are. The batch must be whole in the buffer; its CRC is not checked here.
 * @param fromOffset records before it are passed over, and not looked into
 * @throws CorruptRecordError at the record that is malformed
 */
export function* recordsOf(
  buffer: Buffer,
  position: number,
  maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES,
  fromOffset = 0,
): Generator<LogRecord> {
  const bytes = recordBytesOf(buffer, position, maxDecompressedBytes)
  const count = recordCountOf(buffer, position)
  const context: RecordContext = {
    baseOffset: baseOffsetOf(buffer, position),
    baseTimestamp: baseTimestampOf(buffer, position),
    appendTime:
      timestampTypeOf(buffer, position) === TimestampType.LOG_APPEND_TIME
        ? maxTimestampOf(buffer, position)
        : undefined,
  }
  const cursor: Cursor = { position: 0 }
  for (let index = 0; index < count; index++) {
    const record = readRecord(bytes, cursor, context, fromOffset)
    if (record !== null) yield record
  }
  if (cursor.position !== bytes.length) {
    throw new CorruptRecordError(`bytes are left after the ${count} records of a batch`)
  }
}

/** First record of the batch with timestamp >= `timestamp` and offset >= `fromOffset`, or null. */
export function findTimestamp(
  buffer: Buffer,
  position: number,
  timestamp: number,
  fromOffset = 0,
  maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES,
): TimestampAndOffset | null {
  if (maxTimestampOf(buffer, position) < timestamp) return null
  for (const record of recordsOf(buffer, position, maxDecompressedBytes)) {
    if (record.timestamp >= timestamp && record.offset >= fromOffset) {
      return { timestamp: record.timestamp, offset: record.offset }
    }
  }
  return null
}

/** First record that has the largest timestamp of the batch; null when the batch is empty. */
export function findMaxTimestamp(
  buffer: Buffer,
  position: number,
  maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES,
): TimestampAndOffset | null {
  let best: LogRecord | null = null
  for (const record of recordsOf(buffer, position, maxDecompressedBytes)) {
    if (best === null || record.timestamp > best.timestamp) best = record
  }
  return best === null ? null : { timestamp: best.timestamp, offset: best.offset }
}

interface RecordContext {
  readonly baseOffset: number
  readonly baseTimestamp: number
  readonly appendTime: number | undefined
}

/** @returns null for a record before `fromOffset` */
function readRecord(
  bytes: Buffer,
  cursor: Cursor,
  context: RecordContext,
  fromOffset: number,
): LogRecord | null {
  const start = cursor.position
  const length = readVarint(bytes, cursor, bytes.length)
  const end = cursor.position + length
  if (length < 0 || end > bytes.length) throw malformed(start)
  cursor.position++
  const timestampDelta = readVarlong(bytes, cursor, end)
  const offset = context.baseOffset + readVarint(bytes, cursor, end)
  if (offset < fromOffset) {
    cursor.position = end
    return null
  }
  const key = readNullableBytes(bytes, cursor, end, start)
  const value = readNullableBytes(bytes, cursor, end, start)
  const headers = readHeaders(bytes, cursor, end, start)
  if (cursor.position !== end) throw malformed(start)
  return {
    offset,
    timestamp: context.appendTime ?? context.baseTimestamp + timestampDelta,
    key,
    value,
    headers,
  }
}

function readHeaders(bytes: Buffer, cursor: Cursor, end: number, start: number): RecordHeader[] {
  const count = readVarint(bytes, cursor, end)
  if (count < 0) throw malformed(start)
  const headers: RecordHeader[] = []
  for (let index = 0; index < count; index++) {
    const key = readNullableBytes(bytes, cursor, end, start)
    if (key === null) throw malformed(start)
    headers.push({ key: key.toString(), value: readNullableBytes(bytes, cursor, end, start) })
  }
  return headers
}

function readNullableBytes(
  bytes: Buffer,
  cursor: Cursor,
  end: number,
  start: number,
): Buffer | null {
  const length = readVarint(bytes, cursor, end)
  const from = cursor.position
  if (length < -1 || from + length > end) throw malformed(start)
  if (length === -1) return null
  cursor.position = from + length
  return bytes.subarray(from, from + length)
}

function malformed(position: number): CorruptRecordError {
  return new CorruptRecordError(`malformed record at byte ${position} of a batch's records`)
}
