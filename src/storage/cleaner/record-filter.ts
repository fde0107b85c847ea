import { type Cursor, readVarint, readVarlong, skipBytes } from '../../base/varint.ts'
import { CorruptRecordError } from '../../records/corrupt-record-error.ts'
import { baseOffsetOf, recordCountOf } from '../../records/record-batch.ts'
import { recordBytesOf } from '../../records/records-iterator.ts'

/** A batch in the log was accepted once, whatever the limit is now; this is for one gone mad. */
const MAX_DECOMPRESSED_BYTES = 1_073_741_824

/** Where a record is in the record bytes of its batch. */
export interface RecordPlace {
  readonly timestampDelta: number
  /** Of the first byte behind the timestamp delta: what comes from here on never changes. */
  readonly bodyStart: number
  readonly end: number
}

/** The records of a batch that stay. */
export interface KeptRecords {
  /** All records of the batch, decompressed. */
  readonly bytes: Buffer
  readonly places: readonly RecordPlace[]
  readonly keptCount: number
  /** Records without a key among those that go. */
  readonly keylessCount: number
  /** One of those that stay has no value. */
  readonly hasTombstone: boolean
}

/** @param key a view, gone with the batch */
export type KeepsRecord = (offset: number, key: Buffer | null, hasValue: boolean) => boolean

/**
 * Asks for each record of a batch whether it stays.
 * @throws CorruptRecordError at the record that is malformed
 */
export function filterRecords(buffer: Buffer, at: number, keeps: KeepsRecord): KeptRecords {
  const bytes = recordBytesOf(buffer, at, MAX_DECOMPRESSED_BYTES)
  const baseOffset = baseOffsetOf(buffer, at)
  const count = recordCountOf(buffer, at)
  const cursor: Cursor = { position: 0 }
  const places: RecordPlace[] = []
  let keylessCount = 0
  let hasTombstone = false
  for (let index = 0; index < count; index++) {
    const length = readVarint(bytes, cursor, bytes.length)
    const end = cursor.position + length
    if (length <= 0 || end > bytes.length) throw malformed(baseOffset, index)
    cursor.position++
    const timestampDelta = readVarlong(bytes, cursor, end)
    const bodyStart = cursor.position
    const offset = baseOffset + readVarint(bytes, cursor, end)
    const keyLength = readVarint(bytes, cursor, end)
    const keyStart = cursor.position
    if (keyLength !== -1) skipBytes(cursor, keyLength, end)
    const valueLength = readVarint(bytes, cursor, end)
    if (valueLength !== -1) skipBytes(cursor, valueLength, end)
    // A malformed field leaves the cursor past every end.
    if (cursor.position > end) throw malformed(baseOffset, index)
    cursor.position = end
    const key = keyLength < 0 ? null : bytes.subarray(keyStart, keyStart + keyLength)
    if (keeps(offset, key, valueLength >= 0)) {
      places.push({ timestampDelta, bodyStart, end })
      if (valueLength < 0) hasTombstone = true
    } else if (key === null) keylessCount++
  }
  if (cursor.position !== bytes.length) throw malformed(baseOffset, count)
  return { bytes, places, keptCount: places.length, keylessCount, hasTombstone }
}

function malformed(baseOffset: number, index: number): CorruptRecordError {
  return new CorruptRecordError(`record ${index} of the batch at offset ${baseOffset} is malformed`)
}
