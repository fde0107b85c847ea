import type { ProducerSnapshotEntry } from '../../records/internal/producer-snapshot.ts'
import {
  baseOffsetOf,
  isControl,
  lastOffsetOf,
  maxTimestampOf,
  NO_PRODUCER_ID,
  producerIdOf,
} from '../../records/record-batch.ts'
import { BatchScanner } from '../segment/batch-scanner.ts'
import type { LogSegment } from '../segment/log-segment.ts'

const SCAN_BUFFER_BYTES = 65_536

/**
 * Whether a producer snapshot knows the last batches before its offset: an older one under this name
 * does not, and a producer's next batch would be taken for one out of order.
 * @param expiredMs producers whose last batch is not younger may be missing
 */
export function snapshotFitsLog(
  segments: readonly LogSegment[],
  offset: number,
  entries: readonly ProducerSnapshotEntry[],
  expiredMs: number,
): boolean {
  const segment = segments.findLast((one) => one.baseOffset < offset && one.sizeBytes > 0)
  if (segment === undefined) return true
  const known = new Map(entries.map((entry) => [entry.producerId, entry.lastOffset]))
  const start = segment.indexes.offsets.lookup(offset - 1)
  const buffer = Buffer.allocUnsafe(Math.min(SCAN_BUFFER_BYTES, segment.sizeBytes))
  const scanner = new BatchScanner(segment.handle, start, segment.sizeBytes, buffer, false)
  while (scanner.next()) {
    const { at } = scanner
    if (baseOffsetOf(scanner.buffer, at) >= offset) break
    const producerId = producerIdOf(scanner.buffer, at)
    if (producerId === NO_PRODUCER_ID || isControl(scanner.buffer, at)) continue
    const lastOffset = known.get(producerId)
    const isExpired = maxTimestampOf(scanner.buffer, at) <= expiredMs
    if (
      lastOffset === undefined
        ? !isExpired
        : lastOffset >= 0 && lastOffset < lastOffsetOf(scanner.buffer, at)
    )
      return false
  }
  return true
}
