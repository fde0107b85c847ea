import { type Cursor, MALFORMED, readVarint, readVarlong, skipBytes } from '../base/varint.ts'

/** Kafka's `RecordError`: which record of the batch was refused and why (KIP-467). */
export interface RecordError {
  readonly batchIndex: number
  readonly message: string
  /** True for a timestamp, false for a missing key: it decides the partition's error code. */
  readonly isTimestamp: boolean
}

/**
 * A client shows each producer future its own error and a general text where there is none, so a
 * batch of 100,000 bad records needs no answer of 20 MB.
 */
export const MAX_RECORD_ERRORS = 1000

/** What the last `walkRecords` found. One object for all walks: read it before the next one. */
export const walk = {
  /** First record that is malformed, -1 = none; the count itself = bytes are left at the end. */
  malformedIndex: -1,
  /** Largest timestamp in ms; -1 when no record has one. */
  maxTimestamp: -1,
  nullKeyCount: 0,
  badTimestampCount: 0,
}

const cursor: Cursor = { position: 0 }

/** What the last `walkRecord` read besides the record's end. */
const slow = { timestampDelta: 0, keyLength: 0 }

/**
 * Walks `count` records in `bytes[start, end)` without making anything. Checks that lengths are
 * exact, offset deltas are 0, 1, 2… and the last record ends at `end`; counts null keys, and
 * timestamps outside [lowest, highest] other than -1 (none).
 * Hot: one call per batch. Fields of at most three bytes stay in local variables; any other record,
 * the malformed ones too, is judged again by `walkRecord`.
 */
export function walkRecords(
  bytes: Buffer,
  start: number,
  end: number,
  count: number,
  baseTimestamp: number,
  lowest: number,
  highest: number,
): void {
  let at = start
  let maxTimestamp = -1
  let nullKeyCount = 0
  let badTimestampCount = 0
  walk.malformedIndex = -1
  for (let index = 0; index < count; index++) {
    const lengthField = peekVarint(bytes, at, end)
    const body = at + (lengthField & 3)
    let recordEnd = body + unzigzag(lengthField >> 2)
    const timestampField = peekVarint(bytes, body + 1, end)
    let position = body + 1 + (timestampField & 3)
    const offsetField = peekVarint(bytes, position, end)
    position += offsetField & 3
    const keyField = peekVarint(bytes, position, end)
    let keyLength = unzigzag(keyField >> 2)
    position += (keyField & 3) + Math.max(keyLength, 0)
    const valueField = peekVarint(bytes, position, end)
    const valueLength = unzigzag(valueField >> 2)
    position += (valueField & 3) + Math.max(valueLength, 0)
    const headersField = peekVarint(bytes, position, end)
    position += headersField & 3
    if (headersField >> 2 > 0) {
      cursor.position = position
      skipHeaders(bytes, unzigzag(headersField >> 2), end)
      position = cursor.position
    }
    let timestampDelta = unzigzag(timestampField >> 2)
    const allShort =
      (lengthField | timestampField | offsetField | keyField | valueField | headersField) >= 0
    if (
      !allShort ||
      position !== recordEnd ||
      unzigzag(offsetField >> 2) !== index ||
      keyLength < -1 ||
      valueLength < -1
    ) {
      recordEnd = walkRecord(bytes, at, end, index)
      if (recordEnd < 0) {
        walk.malformedIndex = index
        return
      }
      timestampDelta = slow.timestampDelta
      keyLength = slow.keyLength
    }
    const timestamp = baseTimestamp + timestampDelta
    if (keyLength < 0) nullKeyCount++
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    if ((timestamp < lowest || timestamp > highest) && timestamp !== -1) badTimestampCount++
    at = recordEnd
  }
  if (at !== end) walk.malformedIndex = count
  walk.maxTimestamp = maxTimestamp
  walk.nullKeyCount = nullKeyCount
  walk.badTimestampCount = badTimestampCount
}

/** A varint of one to three bytes as (raw value * 4 + size); -1 when it is longer or cut. */
function peekVarint(bytes: Buffer, at: number, end: number): number {
  if (at < 0 || at + 2 >= end) return at < 0 ? -1 : peekLastVarint(bytes, at, end)
  const first = bytes[at] as number
  if (first < 0x80) return (first << 2) | 1
  const second = bytes[at + 1] as number
  if (second < 0x80) return (((first & 0x7f) | (second << 7)) << 2) | 2
  const third = bytes[at + 2] as number
  if (third >= 0x80) return -1
  return (((first & 0x7f) | ((second & 0x7f) << 7) | (third << 14)) << 2) | 3
}

/** The same for the last bytes before `end`: only one-byte varints there are worth the trouble. */
function peekLastVarint(bytes: Buffer, at: number, end: number): number {
  if (at >= end) return -1
  const only = bytes[at] as number
  return only < 0x80 ? (only << 2) | 1 : -1
}

function unzigzag(raw: number): number {
  return (raw >>> 1) ^ -(raw & 1)
}

/**
 * Walks one record of any shape.
 * @returns the position after it, or -1 when it is malformed; the rest is in `slow`
 */
function walkRecord(bytes: Buffer, at: number, end: number, index: number): number {
  cursor.position = at
  const length = readVarint(bytes, cursor, end)
  const recordEnd = cursor.position + length
  if (length <= 0 || recordEnd > end) return -1
  cursor.position++
  slow.timestampDelta = readVarlong(bytes, cursor, recordEnd)
  const offsetDelta = readVarint(bytes, cursor, recordEnd)
  slow.keyLength = readVarint(bytes, cursor, recordEnd)
  if (slow.keyLength !== -1) skipBytes(cursor, slow.keyLength, recordEnd)
  const valueLength = readVarint(bytes, cursor, recordEnd)
  if (valueLength !== -1) skipBytes(cursor, valueLength, recordEnd)
  skipHeaders(bytes, readVarint(bytes, cursor, recordEnd), recordEnd)
  // A malformed field leaves the cursor past every end, so one comparison covers them all.
  return cursor.position === recordEnd && offsetDelta === index ? recordEnd : -1
}

/** Moves the cursor over the headers; malformed ones leave it at MALFORMED. */
function skipHeaders(bytes: Buffer, count: number, end: number): void {
  if (count < 0) cursor.position = MALFORMED
  for (let index = 0; index < count && cursor.position <= end; index++) {
    skipBytes(cursor, readVarint(bytes, cursor, end), end)
    const valueLength = readVarint(bytes, cursor, end)
    if (valueLength !== -1) skipBytes(cursor, valueLength, end)
  }
}

/** What `collectRecordErrors` looks for; the same limits as the walk before had. */
export interface RecordChecks {
  readonly baseTimestamp: number
  readonly lowestTimestamp: number
  readonly highestTimestamp: number
  readonly needsKeys: boolean
  readonly refusesAppendTime: boolean
}

/**
 * The errors of single records, at most MAX_RECORD_ERRORS of them. For refused batches only, after
 * `walkRecords` found every record well formed.
 */
export function collectRecordErrors(
  bytes: Buffer,
  start: number,
  count: number,
  checks: RecordChecks,
): RecordError[] {
  const errors: RecordError[] = []
  let at = start
  for (let index = 0; index < count && errors.length < MAX_RECORD_ERRORS; index++) {
    cursor.position = at
    const length = readVarint(bytes, cursor, bytes.length)
    at = cursor.position + length
    cursor.position++
    const timestamp = checks.baseTimestamp + readVarlong(bytes, cursor, at)
    readVarint(bytes, cursor, at)
    const hasKey = readVarint(bytes, cursor, at) >= 0
    const error = recordErrorOf(index, timestamp, hasKey, checks)
    if (error !== null) errors.push(error)
  }
  return errors
}

function recordErrorOf(
  batchIndex: number,
  timestamp: number,
  hasKey: boolean,
  checks: RecordChecks,
): RecordError | null {
  if (!hasKey && checks.needsKeys) {
    const message = 'Compacted topic cannot accept message without key.'
    return { batchIndex, message, isTimestamp: false }
  }
  if (checks.refusesAppendTime) {
    const message = 'Producer should not set timestamp type to LogAppendTime.'
    return { batchIndex, message, isTimestamp: true }
  }
  const { lowestTimestamp, highestTimestamp } = checks
  if (timestamp === -1 || (timestamp >= lowestTimestamp && timestamp <= highestTimestamp)) {
    return null
  }
  const message =
    `Timestamp ${timestamp} of message with offset ${batchIndex} is out of range. ` +
    `The timestamp should be within [${lowestTimestamp}, ${highestTimestamp}]`
  return { batchIndex, message, isTimestamp: true }
}
