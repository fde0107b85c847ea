import { crc32c } from '../base/crc32c.ts'
import { readInt64, writeInt64 } from '../base/int64.ts'

/**
 * Record batch v2 as functions over (buffer, position): a batch on the hot path is never an object.
 * The caller has made sure that the header (61 bytes) is inside the buffer; lengths and counts are
 * what the bytes say, so bytes of a peer go through batch-validation first.
 * Source: Kafka protocol guide, "Record Batch"; KIP-98.
 */

/** Where each header field begins, from the start of the batch. */
export const LENGTH_POSITION = 8
export const PARTITION_LEADER_EPOCH_POSITION = 12
export const MAGIC_POSITION = 16
export const CRC_POSITION = 17
export const ATTRIBUTES_POSITION = 21
export const LAST_OFFSET_DELTA_POSITION = 23
export const BASE_TIMESTAMP_POSITION = 27
export const MAX_TIMESTAMP_POSITION = 35
export const PRODUCER_ID_POSITION = 43
export const PRODUCER_EPOCH_POSITION = 51
export const BASE_SEQUENCE_POSITION = 53
export const RECORD_COUNT_POSITION = 57

/** Bytes before what the length field counts: base offset and the length itself. */
export const LOG_OVERHEAD = 12
/** Bytes of the whole header; the records follow. */
export const RECORD_BATCH_OVERHEAD = 61
/** The only record format that is written today. */
export const MAGIC_V2 = 2

/** Compression ids, bits 0 to 2 of the attributes. */
export const Codec = { NONE: 0, GZIP: 1, SNAPPY: 2, LZ4: 3, ZSTD: 4 } as const
export type Codec = (typeof Codec)[keyof typeof Codec]

/** Bit 3 of the attributes says whose clock the timestamps are. */
export const TimestampType = { CREATE_TIME: 0, LOG_APPEND_TIME: 1 } as const
export type TimestampType = (typeof TimestampType)[keyof typeof TimestampType]

export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME_BIT = 0x08
export const TRANSACTIONAL_BIT = 0x10
export const CONTROL_BIT = 0x20
/** Base timestamp is the time from which the cleaner may drop this batch's tombstones (KIP-534). */
export const DELETE_HORIZON_BIT = 0x40

export const NO_TIMESTAMP = -1
export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
export const NO_SEQUENCE = -1
export const NO_PARTITION_LEADER_EPOCH = -1

export const baseOffsetOf = (buffer: Buffer, position: number): number =>
  readInt64(buffer, position)

/** Bytes of the whole batch, header included. */
export const sizeInBytesOf = (buffer: Buffer, position: number): number =>
  buffer.readInt32BE(position + LENGTH_POSITION) + LOG_OVERHEAD

export const partitionLeaderEpochOf = (buffer: Buffer, position: number): number =>
  buffer.readInt32BE(position + PARTITION_LEADER_EPOCH_POSITION)

export const magicOf = (buffer: Buffer, position: number): number =>
  buffer.readInt8(position + MAGIC_POSITION)

export const crcOf = (buffer: Buffer, position: number): number =>
  buffer.readUInt32BE(position + CRC_POSITION)

export const attributesOf = (buffer: Buffer, position: number): number =>
  buffer.readInt16BE(position + ATTRIBUTES_POSITION)

/** The id in the attributes; 5 to 7 are no codec, see `isKnownCodec`. */
export const codecOf = (buffer: Buffer, position: number): number =>
  (buffer[position + ATTRIBUTES_POSITION + 1] as number) & CODEC_MASK

export const isKnownCodec = (codec: number): codec is Codec => codec >= 0 && codec <= Codec.ZSTD

export const timestampTypeOf = (buffer: Buffer, position: number): TimestampType =>
  hasAttribute(buffer, position, LOG_APPEND_TIME_BIT)
    ? TimestampType.LOG_APPEND_TIME
    : TimestampType.CREATE_TIME

export const isTransactional = (buffer: Buffer, position: number): boolean =>
  hasAttribute(buffer, position, TRANSACTIONAL_BIT)

export const isControl = (buffer: Buffer, position: number): boolean =>
  hasAttribute(buffer, position, CONTROL_BIT)

export const hasDeleteHorizon = (buffer: Buffer, position: number): boolean =>
  hasAttribute(buffer, position, DELETE_HORIZON_BIT)

export const lastOffsetDeltaOf = (buffer: Buffer, position: number): number =>
  buffer.readInt32BE(position + LAST_OFFSET_DELTA_POSITION)

/** Offset of the last record the batch was written with, also after compaction took it out. */
export const lastOffsetOf = (buffer: Buffer, position: number): number =>
  baseOffsetOf(buffer, position) + lastOffsetDeltaOf(buffer, position)

/** Milliseconds that record timestamps are relative to (or the delete horizon). */
export const baseTimestampOf = (buffer: Buffer, position: number): number =>
  readInt64(buffer, position + BASE_TIMESTAMP_POSITION)

/** Largest timestamp of the batch in ms; the append time when the type is LogAppendTime. */
export const maxTimestampOf = (buffer: Buffer, position: number): number =>
  readInt64(buffer, position + MAX_TIMESTAMP_POSITION)

/** -1 when the producer is neither idempotent nor transactional. */
export const producerIdOf = (buffer: Buffer, position: number): number =>
  readInt64(buffer, position + PRODUCER_ID_POSITION)

export const producerEpochOf = (buffer: Buffer, position: number): number =>
  buffer.readInt16BE(position + PRODUCER_EPOCH_POSITION)

export const baseSequenceOf = (buffer: Buffer, position: number): number =>
  buffer.readInt32BE(position + BASE_SEQUENCE_POSITION)

/** Sequence of the last record; -1 without one. */
export function lastSequenceOf(buffer: Buffer, position: number): number {
  const baseSequence = baseSequenceOf(buffer, position)
  if (baseSequence === NO_SEQUENCE) return NO_SEQUENCE
  return incrementSequence(baseSequence, lastOffsetDeltaOf(buffer, position))
}

/** Number of records in the batch; 0 is possible after compaction. */
export const recordCountOf = (buffer: Buffer, position: number): number =>
  buffer.readInt32BE(position + RECORD_COUNT_POSITION)

/** Sequences wrap from 2147483647 to 0 (KIP-98; modulo 2^31). */
export const incrementSequence = (sequence: number, increment: number): number =>
  (sequence + increment) & 0x7fff_ffff

/** CRC-32C of the batch from its attributes to its end; the offset and leader epoch are not covered. */
export const computeCrc = (buffer: Buffer, position: number): number =>
  crc32c(buffer, position + ATTRIBUTES_POSITION, position + sizeInBytesOf(buffer, position))

/** True when the stored CRC is right; the batch must be whole in the buffer. */
export const isCrcValid = (buffer: Buffer, position: number): boolean =>
  crcOf(buffer, position) === computeCrc(buffer, position)

/** Gives the batch its place in the log. The CRC does not cover it. */
export const patchBaseOffset = (buffer: Buffer, position: number, offset: number): void =>
  writeInt64(buffer, position, offset)

/** Marks the batch with the epoch of the leader that appends it. The CRC does not cover it. */
export function patchLeaderEpoch(buffer: Buffer, position: number, leaderEpoch: number): void {
  buffer.writeInt32BE(leaderEpoch, position + PARTITION_LEADER_EPOCH_POSITION)
}

/**
 * Sets whose clock the batch carries and its maximum timestamp (ms); writes a new CRC.
 * Costs nothing when both are so already.
 */
export function patchMaxTimestamp(
  buffer: Buffer,
  position: number,
  type: TimestampType,
  maxTimestamp: number,
): void {
  if (
    timestampTypeOf(buffer, position) === type &&
    maxTimestampOf(buffer, position) === maxTimestamp
  ) {
    return
  }
  const others = attributesOf(buffer, position) & ~LOG_APPEND_TIME_BIT
  const bit = type === TimestampType.LOG_APPEND_TIME ? LOG_APPEND_TIME_BIT : 0
  buffer.writeInt16BE(others | bit, position + ATTRIBUTES_POSITION)
  writeInt64(buffer, position + MAX_TIMESTAMP_POSITION, maxTimestamp)
  patchCrc(buffer, position)
}

/** Writes the CRC that fits the bytes; the last step of making or changing a batch. */
export function patchCrc(buffer: Buffer, position: number): void {
  buffer.writeUInt32BE(computeCrc(buffer, position), position + CRC_POSITION)
}

function hasAttribute(buffer: Buffer, position: number, bit: number): boolean {
  return ((buffer[position + ATTRIBUTES_POSITION + 1] as number) & bit) !== 0
}
