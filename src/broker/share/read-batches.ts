import type { AbortedTransaction, LogSlice } from '../../ports/partition-log.ts'
import { ControlRecordType, controlRecordTypeOf } from '../../records/control-batch.ts'
import {
  baseOffsetOf,
  isControl,
  isTransactional,
  lastOffsetOf,
  producerIdOf,
  sizeInBytesOf,
} from '../../records/record-batch.ts'
import { batchPositions, recordsOf } from '../../records/records-iterator.ts'
import type { OffsetSpan } from '../delivery/delivery-state.ts'

/** A record batch in a slice of the log. */
export interface ReadBatch extends OffsetSpan {
  readonly bytes: Buffer
  readonly position: number
  readonly sizeBytes: number
}

/** Consecutive whole batches. */
export interface BatchBytes {
  readonly pieces: readonly Buffer[]
  readonly byteLength: number
}

export function batchesOf({ pieces }: LogSlice): ReadBatch[] {
  const batches: ReadBatch[] = []
  for (const bytes of hasWholeBatches(pieces) ? pieces : [Buffer.concat(pieces)]) {
    for (const position of batchPositions(bytes)) {
      batches.push({
        firstOffset: baseOffsetOf(bytes, position),
        lastOffset: lastOffsetOf(bytes, position),
        bytes,
        position,
        sizeBytes: sizeInBytesOf(bytes, position),
      })
    }
  }
  return batches
}

/** A piece of the log may end within a batch; mostly it does not. */
function hasWholeBatches(pieces: readonly Buffer[]): boolean {
  if (pieces.length === 1) return true
  return pieces.every((bytes) => {
    let end = 0
    while (end + 12 <= bytes.length) end += sizeInBytesOf(bytes, end)
    return end === bytes.length
  })
}

/** The batches that hold offsets between two. */
export function bytesBetween(
  batches: readonly ReadBatch[],
  firstOffset: number,
  lastOffset: number,
): BatchBytes {
  const pieces: Buffer[] = []
  let byteLength = 0
  let start: ReadBatch | null = null
  let end = 0
  const close = (): void => {
    if (start !== null) pieces.push(start.bytes.subarray(start.position, end))
    start = null
  }
  for (const batch of batches) {
    if (batch.lastOffset < firstOffset || batch.firstOffset > lastOffset) continue
    if (start !== null && (start as ReadBatch).bytes !== batch.bytes) close()
    start ??= batch
    end = batch.position + batch.sizeBytes
    byteLength += batch.sizeBytes
  }
  close()
  return { pieces, byteLength }
}

/** Batches of transactions that were aborted: nobody who reads committed data may see them. */
export function abortedBatches(
  batches: readonly ReadBatch[],
  abortedTransactions: readonly AbortedTransaction[] | null,
): ReadBatch[] {
  if (abortedTransactions === null || abortedTransactions.length === 0) return []
  const waiting = [...abortedTransactions].sort((a, b) => a.firstOffset - b.firstOffset)
  const open = new Set<number>()
  const aborted: ReadBatch[] = []
  for (const batch of batches) {
    const { bytes, position, lastOffset } = batch
    const producerId = producerIdOf(bytes, position)
    if (producerId < 0) continue
    while (waiting[0] !== undefined && waiting[0].firstOffset <= lastOffset) {
      open.add((waiting.shift() as AbortedTransaction).producerId)
    }
    if (isAbortMarker(batch)) open.delete(producerId)
    else if (isTransactional(bytes, position) && open.has(producerId)) aborted.push(batch)
  }
  return aborted
}

function isAbortMarker({ bytes, position }: ReadBatch): boolean {
  if (!isControl(bytes, position)) return false
  for (const { key } of recordsOf(bytes, position)) {
    return controlRecordTypeOf(key) === ControlRecordType.ABORT
  }
  return false
}
