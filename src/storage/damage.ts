import type { FileHandle } from '../ports/file-system.ts'
import {
  baseOffsetOf,
  isCrcValid,
  MAGIC_POSITION,
  MAGIC_V2,
  RECORD_BATCH_OVERHEAD,
  sizeInBytesOf,
} from '../records/record-batch.ts'

const WINDOW_BYTES = 1_048_576

/** A file system that grew a file before a crash, but did not write it, leaves zeros. */
export function isZeroFilled(handle: FileHandle, start: number, end: number): boolean {
  const buffer = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, end - start))
  const zeros = Buffer.alloc(buffer.length)
  for (let position = start; position < end; ) {
    const count = handle.readNow(buffer, 0, Math.min(buffer.length, end - position), position)
    if (count === 0) return true
    if (buffer.compare(zeros, 0, count, 0, count) !== 0) return false
    position += count
  }
  return true
}

/**
 * Looks for a whole valid batch behind damaged bytes: with one, records were lost in the middle;
 * without, a write was torn.
 * @param nextOffset batches that count have this offset or a higher one
 * @returns position of the batch, -1: none
 */
export function findBatchAfter(
  handle: FileHandle,
  start: number,
  end: number,
  nextOffset: number,
): number {
  const window = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, end - start))
  for (let position = start; end - position >= RECORD_BATCH_OVERHEAD; ) {
    const wanted = Math.min(window.length, end - position)
    const count = handle.readNow(window, 0, wanted, position)
    if (count < RECORD_BATCH_OVERHEAD) return -1
    const last = count - RECORD_BATCH_OVERHEAD
    for (let at = nextMagic(window, 0); at >= 0 && at <= last; at = nextMagic(window, at + 1)) {
      const size = sizeInBytesOf(window, at)
      if (size < RECORD_BATCH_OVERHEAD || position + at + size > end) continue
      const offset = baseOffsetOf(window, at)
      if (offset < nextOffset || offset > nextOffset + 0x7fff_ffff) continue
      if (isWholeBatch(handle, window, at, count, position, size)) return position + at
    }
    // The last header of a window may go on in the next.
    position += count - RECORD_BATCH_OVERHEAD + 1
  }
  return -1
}

/** Where the next batch could begin, by the number of its format; -1: nowhere. */
function nextMagic(window: Buffer, from: number): number {
  const found = window.indexOf(MAGIC_V2, from + MAGIC_POSITION)
  return found < 0 ? -1 : found - MAGIC_POSITION
}

function isWholeBatch(
  handle: FileHandle,
  window: Buffer,
  at: number,
  count: number,
  position: number,
  size: number,
): boolean {
  if (at + size <= count) return isCrcValid(window, at)
  const batch = Buffer.allocUnsafe(size)
  return handle.readNow(batch, 0, size, position + at) === size && isCrcValid(batch, 0)
}
