import { crc32c } from '../base/crc32c.ts'
import { ErrorCode } from '../base/error-code.ts'
import { decompress } from './compression.ts'
import { CorruptRecordError } from './corrupt-record-error.ts'
import { recompressRecords } from './recompression.ts'
import {
  ATTRIBUTES_POSITION,
  baseOffsetOf,
  baseSequenceOf,
  baseTimestampOf,
  Codec,
  codecOf,
  crcOf,
  hasDeleteHorizon,
  isControl,
  isKnownCodec,
  isTransactional,
  lastOffsetDeltaOf,
  MAGIC_POSITION,
  MAGIC_V2,
  magicOf,
  maxTimestampOf,
  patchMaxTimestamp,
  producerEpochOf,
  producerIdOf,
  RECORD_BATCH_OVERHEAD,
  recordCountOf,
  sizeInBytesOf,
  TimestampType,
  timestampTypeOf,
} from './record-batch.ts'
import { collectRecordErrors, type RecordError, walk, walkRecords } from './record-walk.ts'

/** What a topic and the request ask of a batch; one object serves many batches. */
export interface ProduceRules {
  /** Version of the Produce request; zstd is allowed from 7 (KIP-110). */
  readonly apiVersion: number
  /** `max.message.bytes`: of the batch as sent, and again after recompression. */
  readonly maxMessageBytes: number
  /** True when `cleanup.policy` has `compact`: every record needs a key. */
  readonly isCompacted: boolean
  /** `message.timestamp.type`. */
  readonly timestampType: TimestampType
  /** `message.timestamp.before.max.ms` and `.after.max.ms`; only for CreateTime. */
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  /** The broker's clock in ms. */
  readonly now: number
  /** `compression.type`: a codec to store with, or null for `producer` (as sent). */
  readonly targetCodec: Codec | null
  /** `compression.<codec>.level`; undefined = the codec's default. */
  readonly compressionLevel: number | undefined
  /** Memory that the decompressed records of one batch may take; see DEFAULT_MAX_DECOMPRESSED_BYTES. */
  readonly maxDecompressedBytes: number
}

/** The answer for one partition. Plain data, one per batch; nothing is thrown. */
export interface ProduceOutcome {
  readonly errorCode: ErrorCode
  /** Text for the response (v8+); null when the batch is fine. */
  readonly errorMessage: string | null
  readonly recordErrors: readonly RecordError[]
  /** What to append: the bytes given, changed in place, or a recompressed copy; empty on error. */
  readonly batch: Buffer
  /** The append time to answer for LogAppendTime, else -1. */
  readonly logAppendTime: number
}

const NO_BYTES = Buffer.alloc(0)
const NO_RECORD_ERRORS: readonly RecordError[] = []

/**
 * Does what a Kafka leader does to the `records` field of one partition before it appends: exactly
 * one batch v2, right size and CRC, honest counts and offsets, records that parse to the last byte,
 * keys for compacted topics, timestamps within limits, and the topic's clock and codec.
 * On success it may have changed timestamp type, maximum timestamp and CRC in `records`; base offset
 * and leader epoch are left to the log. Uncompressed batches cost no allocation per record.
 * Stricter than Kafka 4.4 where it takes bytes that confuse readers later: wrong offset deltas of
 * uncompressed records, bytes behind the batch, a delete horizon, producer ids below -1 or without
 * epoch. Clearer where Kafka answers UNKNOWN_SERVER_ERROR: unknown codec, damaged compressed bytes.
 * Source: behaviour of Kafka 4.4 (LogValidator, ProduceRequest); KIP-98, KIP-467, KIP-937.
 */
export function validateProduceBatch(records: Buffer | null, rules: ProduceRules): ProduceOutcome {
  const problem = checkFrame(records, rules)
  if (problem !== null) return problem
  const batch = records as Buffer
  return checkHeader(batch, rules) ?? checkRecords(batch, rules)
}

/** Exactly one whole batch v2 of a permitted size with a right CRC. */
function checkFrame(records: Buffer | null, rules: ProduceRules): ProduceOutcome | null {
  if (records === null || records.length <= MAGIC_POSITION) {
    return invalid('Produce requests must have exactly one record batch per partition; none found')
  }
  const size = sizeInBytesOf(records, 0)
  const magic = magicOf(records, 0)
  if (magic === 0 || magic === 1) {
    return invalid(`Record batches must have magic 2, not ${magic}; use a client of Kafka 0.11+`)
  }
  if (magic !== MAGIC_V2) return refuse(ErrorCode.CORRUPT_MESSAGE, `Invalid magic ${magic}`)
  if (size < RECORD_BATCH_OVERHEAD) {
    return refuse(ErrorCode.CORRUPT_MESSAGE, `Record batch size ${size} is below its header's 61`)
  }
  if (size > records.length) {
    return invalid(`Record batch is cut: ${records.length} of ${size} bytes are there`)
  }
  if (size < records.length) {
    return invalid(
      `Exactly one record batch per partition is allowed; bytes follow it at ${size} of ${records.length}`,
    )
  }
  if (size > rules.maxMessageBytes) return tooLarge(size, rules)
  if (crcOf(records, 0) !== crc32c(records, ATTRIBUTES_POSITION, size)) {
    return refuse(ErrorCode.CORRUPT_MESSAGE, 'Record batch is corrupt: its CRC does not fit')
  }
  return null
}

/** Header fields that contradict each other or are not a client's to set. */
function checkHeader(batch: Buffer, rules: ProduceRules): ProduceOutcome | null {
  const codec = codecOf(batch, 0)
  if (!isKnownCodec(codec)) return unsupportedCodec(`Unknown compression codec ${codec}`)
  if (codec === Codec.ZSTD && rules.apiVersion < 7) {
    return unsupportedCodec('ZStandard compression needs Produce version 7 or later')
  }
  const baseOffset = baseOffsetOf(batch, 0)
  if (baseOffset !== 0) return invalid(`Base offset of a record batch must be 0, not ${baseOffset}`)
  const count = recordCountOf(batch, 0)
  const lastOffsetDelta = lastOffsetDeltaOf(batch, 0)
  if (count <= 0) return invalid(`Invalid record count ${count} in record batch`)
  if (lastOffsetDelta !== count - 1) {
    return invalid(`Last offset delta ${lastOffsetDelta} does not fit the record count ${count}`)
  }
  if (isControl(batch, 0)) return invalid('Clients are not allowed to write control records')
  if (hasDeleteHorizon(batch, 0)) return invalid('Clients are not allowed to set a delete horizon')
  if (
    !Number.isSafeInteger(baseTimestampOf(batch, 0)) ||
    !Number.isSafeInteger(maxTimestampOf(batch, 0))
  ) {
    return refuse(ErrorCode.INVALID_TIMESTAMP, 'Timestamp of the record batch is out of range')
  }
  return checkProducer(batch)
}

function checkProducer(batch: Buffer): ProduceOutcome | null {
  const producerId = producerIdOf(batch, 0)
  if (producerId === -1) {
    return isTransactional(batch, 0) ? invalid('Transactional batch has no producer id') : null
  }
  if (producerId < 0 || !Number.isSafeInteger(producerId)) {
    return invalid(`Invalid producer id ${producerId}`)
  }
  const epoch = producerEpochOf(batch, 0)
  if (epoch < 0) return invalid(`Invalid epoch ${epoch} in record batch of producer ${producerId}`)
  const sequence = baseSequenceOf(batch, 0)
  if (sequence < 0) {
    return invalid(`Invalid sequence ${sequence} in record batch of producer ${producerId}`)
  }
  return null
}

/** Walks the records and, when all are fine, gives the batch the topic's clock and codec. */
function checkRecords(batch: Buffer, rules: ProduceRules): ProduceOutcome {
  const codec = codecOf(batch, 0) as Codec
  let bytes = batch
  let start = RECORD_BATCH_OVERHEAD
  if (codec !== Codec.NONE) {
    const plain = tryDecompress(codec, batch, rules.maxDecompressedBytes)
    if (!Buffer.isBuffer(plain)) return plain
    bytes = plain
    start = 0
  }
  const count = recordCountOf(batch, 0)
  const baseTimestamp = baseTimestampOf(batch, 0)
  const isCreateTime = rules.timestampType === TimestampType.CREATE_TIME
  const lowest = isCreateTime ? lowestTimestamp(rules) : Number.NEGATIVE_INFINITY
  const highest = isCreateTime ? highestTimestamp(rules) : Number.POSITIVE_INFINITY
  walkRecords(bytes, start, bytes.length, count, baseTimestamp, lowest, highest)
  if (walk.malformedIndex >= 0) return invalid(malformedText(walk.malformedIndex, count))
  const isClientAppendTime =
    !isCreateTime && timestampTypeOf(batch, 0) === TimestampType.LOG_APPEND_TIME
  const hasKeyErrors = rules.isCompacted && walk.nullKeyCount > 0
  if (hasKeyErrors || walk.badTimestampCount > 0 || isClientAppendTime) {
    return recordErrorsOf(bytes, start, batch, rules, lowest, highest)
  }
  const logAppendTime = isCreateTime ? -1 : rules.now
  patchMaxTimestamp(batch, 0, rules.timestampType, isCreateTime ? walk.maxTimestamp : rules.now)
  if (rules.targetCodec === null || rules.targetCodec === codec) {
    return accept(batch, logAppendTime)
  }
  const plain = bytes.subarray(start)
  const stored = recompressRecords(batch, plain, rules.targetCodec, rules.compressionLevel)
  if (stored.length > rules.maxMessageBytes) return tooLarge(stored.length, rules)
  return accept(stored, logAppendTime)
}

/** The limits of KIP-937, and never beyond what a number holds exactly. */
function lowestTimestamp(rules: ProduceRules): number {
  return Math.max(rules.now - rules.timestampBeforeMaxMs, Number.MIN_SAFE_INTEGER)
}

function highestTimestamp(rules: ProduceRules): number {
  return Math.min(rules.now + rules.timestampAfterMaxMs, Number.MAX_SAFE_INTEGER)
}

function recordErrorsOf(
  bytes: Buffer,
  start: number,
  batch: Buffer,
  rules: ProduceRules,
  lowest: number,
  highest: number,
): ProduceOutcome {
  const isAppendTime =
    rules.timestampType === TimestampType.LOG_APPEND_TIME &&
    timestampTypeOf(batch, 0) === TimestampType.LOG_APPEND_TIME
  const recordErrors = collectRecordErrors(bytes, start, recordCountOf(batch, 0), {
    baseTimestamp: baseTimestampOf(batch, 0),
    lowestTimestamp: lowest,
    highestTimestamp: highest,
    needsKeys: rules.isCompacted,
    refusesAppendTime: isAppendTime,
  })
  const hasTimestampErrors = recordErrors.some((error) => error.isTimestamp)
  return {
    errorCode: hasTimestampErrors ? ErrorCode.INVALID_TIMESTAMP : ErrorCode.INVALID_RECORD,
    errorMessage: hasTimestampErrors
      ? 'One or more records have been rejected due to invalid timestamp'
      : `One or more records have been rejected due to ${recordErrors.length} record errors`,
    recordErrors,
    batch: NO_BYTES,
    logAppendTime: -1,
  }
}

function tryDecompress(codec: Codec, batch: Buffer, maxBytes: number): Buffer | ProduceOutcome {
  try {
    return decompress(codec, batch.subarray(RECORD_BATCH_OVERHEAD), maxBytes)
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
    if (error.isTooLarge) return refuse(ErrorCode.MESSAGE_TOO_LARGE, error.message)
    return invalid(`Records cannot be decompressed: ${error.message}`)
  }
}

function malformedText(index: number, count: number): string {
  return index === count
    ? `Bytes are left after the ${count} records of the batch`
    : `Record ${index} of the batch's ${count} is malformed, cut or has a wrong offset delta`
}

function accept(batch: Buffer, logAppendTime: number): ProduceOutcome {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    recordErrors: NO_RECORD_ERRORS,
    batch,
    logAppendTime,
  }
}

function refuse(errorCode: ErrorCode, errorMessage: string): ProduceOutcome {
  return {
    errorCode,
    errorMessage,
    recordErrors: NO_RECORD_ERRORS,
    batch: NO_BYTES,
    logAppendTime: -1,
  }
}

function invalid(errorMessage: string): ProduceOutcome {
  return refuse(ErrorCode.INVALID_RECORD, errorMessage)
}

function unsupportedCodec(errorMessage: string): ProduceOutcome {
  return refuse(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, errorMessage)
}

function tooLarge(size: number, rules: ProduceRules): ProduceOutcome {
  return refuse(
    ErrorCode.MESSAGE_TOO_LARGE,
    `Record batch of ${size} bytes is larger than max.message.bytes, ${rules.maxMessageBytes}`,
  )
}
