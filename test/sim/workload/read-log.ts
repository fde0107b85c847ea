import type { LogSlice, PartitionLog } from '../../../src/ports/partition-log.ts'
import {
  baseOffsetOf,
  isCrcValid,
  lastOffsetOf,
  RECORD_BATCH_OVERHEAD,
} from '../../../src/records/record-batch.ts'
import { batchPositions } from '../../../src/records/records-iterator.ts'
import type { FoundBatch } from '../ledger/partition-ledger.ts'

/** What a consumer makes of bytes: whole batches, or nothing when they were damaged on the way. */
export function batchesOf(slice: LogSlice): FoundBatch[] | null {
  const found: FoundBatch[] = []
  const bytes = Buffer.concat(slice.pieces)
  slice.release()
  try {
    for (const position of batchPositions(bytes)) {
      if (!isCrcValid(bytes, position)) return null
      const size = bytes.readInt32BE(position + 8) + 12
      if (size < RECORD_BATCH_OVERHEAD) return null
      found.push({
        baseOffset: baseOffsetOf(bytes, position),
        lastOffset: lastOffsetOf(bytes, position),
        bytes: bytes.subarray(position, position + size),
      })
    }
  } catch {
    return null
  }
  return found
}

/** Batches from an offset to the high watermark, or to the last stable offset. */
export function readSlice(
  log: PartitionLog,
  offset: number,
  maxBytes: number,
  isCommitted = false,
): Promise<LogSlice> {
  return new Promise((resolve, reject) => {
    const request = {
      offset,
      endOffset: isCommitted ? log.lastStableOffset : log.highWatermark,
      maxBytes,
      atLeastOne: true,
      includeAborted: isCommitted,
    }
    const slice = log.read(request, (error, later) => {
      if (later !== null) resolve(later)
      else reject(error)
    })
    if (slice !== null) resolve(slice)
  })
}
