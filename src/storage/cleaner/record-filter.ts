import { type Cursor, readVarint, readVarlong, skipBytes } from '../../base/varint.ts'
import { CorruptRecordError } from '../../records/corrupt-record-error.ts'
import { baseOffsetOf, recordCountOf } from '../../records/record-batch.ts'
import { recordBytesOf } from '../../records/records-iterator.ts'

/** A batch in the log was accepted once, whatever the limit is now; this is for one gone mad. */
const MAX_DECOMPRESSED_BYTES = 1_073_741_824

/** Numbers of `KeptRecords.places` for one record. */
export const PLACE_FIELDS = 3

/** The records of a batch that stay. */
export interface KeptRecords {
  /** All records of the batch, decompressed. */
  readonly bytes: Buffer
  /**
   * Three numbers for each record that stays: its timestamp delta, the position behind that (what
   * comes from there on never changes), and the record's end.
   */
  readonly places: readonly number[]
  readonly keptCount: number
  /** Records without a key among those that go. */
  readonly keylessCount: number
  /** One of those that stay has no value. */
  readonly hasTombstone: boolean
}

/** @param keyEnd of the key `bytes[keyStart, keyEnd)`; -1: it is null */
export type KeepsRecord = (
  bytes: Buffer,
  offset: number,
  keyStart: number,
  keyEnd: number,
  hasValue: boolean,
) => boolean

/**
 * Asks for each record of a batch whether it stays.
 * @throws CorruptRecordError at the record that is malformed
 */
export function filterRecords(buffer: Buffer, at: number, keeps: KeepsRecord): KeptRecords {
  const bytes = recordBytesOf(buffer, at, MAX_DECOMPRESSED_BYTES)
  const baseOffset = baseOffsetOf(buffer, at)
  const count = recordCountOf(buffer, at)
  const cursor: Cursor = { position: 0 }
  const places: number[] = []
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
    const keyEnd = keyLength < 0 ? -1 : keyStart + keyLength
    if (keeps(bytes, offset, keyStart, keyEnd, valueLength >= 0)) {
      places.push(timestampDelta, bodyStart, end)
      if (valueLength < 0) hasTombstone = true
    } else if (keyLength < 0) keylessCount++
  }
  if (cursor.position !== bytes.length) throw malformed(baseOffset, count)
  const keptCount = places.length / PLACE_FIELDS
  return { bytes, places, keptCount, keylessCount, hasTombstone }
}

function malformed(baseOffset: number, index: number): CorruptRecordError {
  return new CorruptRecordError(`record ${index} of the batch at offset ${baseOffset} is malformed`)
}
