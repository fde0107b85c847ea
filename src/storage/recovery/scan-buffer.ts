import { RECORD_BATCH_OVERHEAD } from '../../records/record-batch.ts'

export const SCAN_BUFFER_BYTES = 1_048_576

/** Memory to read a segment of that size through. */
export function scanBufferFor(sizeBytes: number): Buffer {
  return Buffer.allocUnsafe(Math.max(RECORD_BATCH_OVERHEAD, Math.min(SCAN_BUFFER_BYTES, sizeBytes)))
}
