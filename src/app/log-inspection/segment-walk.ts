import type { FileHandle } from '../../ports/file-system.ts'
import { baseOffsetOf, lastOffsetOf } from '../../records/record-batch.ts'
import { BatchScanner } from '../../storage/batch-scanner.ts'
import { findBatchAfter, isZeroFilled } from '../../storage/damage.ts'

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

/** All batches of a log file with their CRC checked; after damage it goes on where it can. */
export function* walkSegment(handle: FileHandle): Generator<Stretch> {
  const end = handle.sizeBytes()
  let nextOffset = 0
  for (let position = 0; position < end; ) {
    const buffer = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, Math.max(end - position, 64)))
    const scanner = new BatchScanner(handle, position, end, buffer, true)
    while (scanner.next()) {
      const { at, sizeBytes } = scanner
      yield { kind: 'batch', position: scanner.position, sizeBytes, buffer: scanner.buffer, at }
      nextOffset = lastOffsetOf(scanner.buffer, at) + 1
    }
    if (scanner.problem === null) return
    const found = findBatchAfter(handle, scanner.position + 1, end, nextOffset)
    const isInMiddle = found >= 0
    const damageEnd = isInMiddle ? found : end
    yield {
      kind: 'damage',
      position: scanner.position,
      sizeBytes: damageEnd - scanner.position,
      reason: isZeroFilled(handle, scanner.position, damageEnd)
        ? 'zeros that no write reached'
        : scanner.problem,
      isInMiddle,
    }
    position = damageEnd
  }
}

/** First and last offset of a batch, for messages. */
export function offsetsOf({ buffer, at }: { buffer: Buffer; at: number }): [number, number] {
  return [baseOffsetOf(buffer, at), lastOffsetOf(buffer, at)]
}
