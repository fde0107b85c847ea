import type { FileHandle } from '../../ports/file-system.ts'
import {
  baseOffsetOf,
  lastOffsetOf,
  MAGIC_V2,
  magicOf,
  RECORD_BATCH_OVERHEAD,
  sizeInBytesOf,
} from '../../records/record-batch.ts'
import { findBatchAfter, isZeroFilled } from '../../storage/damage.ts'
import { BatchScanner } from '../../storage/segment/batch-scanner.ts'

/** A stretch of a log file: one whole batch, or bytes that are none. */
export type Stretch =
  | {
      readonly kind: 'batch'
      readonly position: number
      readonly sizeBytes: number
      /** The batch is at `at` in `buffer`, until the next one is asked for. */
      readonly buffer: Buffer
      readonly at: number
    }
  | {
      readonly kind: 'damage'
      readonly position: number
      readonly sizeBytes: number
      readonly reason: string
      /** Valid batches follow, so records were lost in between. */
      readonly isInMiddle: boolean
    }

const WINDOW_BYTES = 1024 * 1024

/**
 * All batches of a log file with their CRC checked; after damage it goes on where it can. Damaged batches
 * side by side come one by one as long as their headers can be believed.
 */
export function* walkSegment(handle: FileHandle): Generator<Stretch> {
  const end = handle.sizeBytes()
  let nextOffset = 0
  // Where the next whole batch was found behind damage; -1: nowhere. Looked for once per hole.
  let found: number | undefined
  for (let position = 0; position < end; ) {
    const buffer = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, Math.max(end - position, 64)))
    const scanner = new BatchScanner(handle, position, end, buffer, true)
    while (scanner.next()) {
      const { at, sizeBytes } = scanner
      yield { kind: 'batch', position: scanner.position, sizeBytes, buffer: scanner.buffer, at }
      nextOffset = lastOffsetOf(scanner.buffer, at) + 1
      found = undefined
    }
    if (scanner.problem === null) return
    found ??= findBatchAfter(handle, scanner.position + 1, end, nextOffset)
    const isInMiddle = found >= 0
    const holeEnd = isInMiddle ? found : end
    const sizeBytes = damagedBytes(handle, scanner.position, holeEnd)
    yield {
      kind: 'damage',
      position: scanner.position,
      sizeBytes,
      reason: isZeroFilled(handle, scanner.position, scanner.position + sizeBytes)
        ? 'zeros that no write reached'
        : scanner.problem,
      isInMiddle,
    }
    position = scanner.position + sizeBytes
  }
}

/**
 * The bytes of the damaged batch at `position`, when its length can be believed: it ends where the hole
 * ends, or where another header of a batch with higher offsets begins. Else all of the hole.
 */
function damagedBytes(handle: FileHandle, position: number, holeEnd: number): number {
  const whole = holeEnd - position
  const own = headerAt(handle, position, holeEnd)
  if (own === undefined || own.sizeBytes >= whole) return whole
  const next = headerAt(handle, position + own.sizeBytes, holeEnd)
  return next !== undefined && next.baseOffset > own.baseOffset ? own.sizeBytes : whole
}

/** What a header says, when it can be one. */
function headerAt(
  handle: FileHandle,
  position: number,
  end: number,
): { readonly sizeBytes: number; readonly baseOffset: number } | undefined {
  if (end - position < RECORD_BATCH_OVERHEAD) return undefined
  const header = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD)
  if (handle.readNow(header, 0, header.length, position) < header.length) return undefined
  const sizeBytes = sizeInBytesOf(header, 0)
  const isHeader =
    magicOf(header, 0) === MAGIC_V2 &&
    sizeBytes >= RECORD_BATCH_OVERHEAD &&
    sizeBytes <= end - position &&
    baseOffsetOf(header, 0) >= 0
  return isHeader ? { sizeBytes, baseOffset: baseOffsetOf(header, 0) } : undefined
}

/** First and last offset of a batch, for messages. */
export function offsetsOf({ buffer, at }: { buffer: Buffer; at: number }): [number, number] {
  return [baseOffsetOf(buffer, at), lastOffsetOf(buffer, at)]
}
