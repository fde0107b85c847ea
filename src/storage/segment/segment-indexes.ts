import { StorageError } from '../../base/errors.ts'
import type { FileHandle } from '../../ports/file-system.ts'
import { baseOffsetOf, lastOffsetOf, maxTimestampOf } from '../../records/record-batch.ts'
import type { LogContext } from '../log-context.ts'
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX } from '../log-files.ts'
import { BatchScanner } from './batch-scanner.ts'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'

export interface SegmentIndexes {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
  readonly transactions: TransactionIndex
}

/** What indexes are about. */
interface IndexedSegment {
  readonly baseOffset: number
  readonly sizeBytes: number
  readonly handle: FileHandle
  pathOf(suffix: string): string
}

const SCAN_BUFFER_BYTES = 65_536
/** Between the entries of an index that is made again; Kafka's default. */
const INTERVAL_BYTES = 4096
/** An index that ends so long before the log, and by some batches, is not the whole index. */
const MAX_TAIL_BYTES = 1_048_576
const MAX_TAIL_BATCHES = 2

/**
 * Reads the indexes of a segment. Those of offsets and times are made again when they are missing,
 * impossible, or don't fit the end of the log: that says all.
 * @throws StorageError when the transaction index is damaged
 */
export function loadIndexes(context: LogContext, segment: IndexedSegment): SegmentIndexes {
  const offsetFile = readIndex(context, segment, OFFSET_INDEX_SUFFIX)
  const timeFile = readIndex(context, segment, TIME_INDEX_SUFFIX)
  const offsets = offsetFile && OffsetIndex.parse(segment.baseOffset, offsetFile, segment.sizeBytes)
  const times = timeFile && TimeIndex.parse(segment.baseOffset, timeFile)
  const transactions = TransactionIndex.parse(
    readIndex(context, segment, TRANSACTION_INDEX_SUFFIX) ?? Buffer.alloc(0),
  )
  if (transactions === null) {
    const path = segment.pathOf(TRANSACTION_INDEX_SUFFIX)
    throw new StorageError(`${path} is damaged: restart the broker, it makes it again from the log`)
  }
  if (offsets && times && fitsLog(segment, offsets, times)) return { offsets, times, transactions }
  const rebuilt = rebuildIndexes(context, segment)
  saveIndexes(context, segment, rebuilt.offsets, rebuilt.times)
  return { ...rebuilt, transactions }
}

function readIndex(context: LogContext, segment: IndexedSegment, suffix: string): Buffer | null {
  const path = segment.pathOf(suffix)
  return context.fs.stat(path) === undefined ? null : context.fs.readFile(path)
}

/** Looks at the batches behind the last entry: an older or a foreign index does not know them. */
function fitsLog(segment: IndexedSegment, offsets: OffsetIndex, times: TimeIndex): boolean {
  if (segment.sizeBytes === 0) return offsets.entryCount === 0 && times.entryCount === 0
  const start = offsets.lastPosition
  const buffer = Buffer.allocUnsafe(Math.min(SCAN_BUFFER_BYTES, segment.sizeBytes))
  const scanner = new BatchScanner(segment.handle, start, segment.sizeBytes, buffer, false)
  let batchCount = 0
  let lastOffset = -1
  while (scanner.next()) {
    const { at } = scanner
    const isIndexed = batchCount === 0 && offsets.entryCount > 0
    if (isIndexed && baseOffsetOf(scanner.buffer, at) > offsets.lastOffset) return false
    if (maxTimestampOf(scanner.buffer, at) > times.lastTimestampMs) return false
    if (++batchCount > MAX_TAIL_BATCHES && scanner.position - start > MAX_TAIL_BYTES) return false
    lastOffset = lastOffsetOf(scanner.buffer, at)
  }
  if (batchCount === 0) return false
  // Damage in the log is nothing that another index would change.
  if (scanner.problem !== null) return true
  return offsets.lastOffset <= lastOffset && times.lastOffset <= lastOffset
}

/** Indexes have 31 bits for an offset. */
const MAX_RELATIVE_OFFSET = 0x7fff_ffff

function rebuildIndexes(
  context: LogContext,
  segment: IndexedSegment,
): { offsets: OffsetIndex; times: TimeIndex } {
  context.logger.warn('making the indexes of a segment again', { file: segment.handle.path })
  const offsets = new OffsetIndex(segment.baseOffset)
  const times = new TimeIndex(segment.baseOffset)
  const buffer = Buffer.allocUnsafe(SCAN_BUFFER_BYTES)
  // What is wrong here would be saved.
  const scanner = new BatchScanner(segment.handle, 0, segment.sizeBytes, buffer, true, true)
  let sinceEntry = 0
  let maxTimestampMs = -1
  let maxTimestampOffset = segment.baseOffset
  let nextOffset = segment.baseOffset
  while (scanner.next()) {
    const lastOffset = lastOffsetOf(scanner.buffer, scanner.at)
    // The CRC does not cover the offset. Readers find what is behind the last entry.
    if (lastOffset < nextOffset || lastOffset - segment.baseOffset > MAX_RELATIVE_OFFSET) break
    nextOffset = lastOffset + 1
    const timestampMs = maxTimestampOf(scanner.buffer, scanner.at)
    if (timestampMs > maxTimestampMs) {
      maxTimestampMs = timestampMs
      maxTimestampOffset = lastOffset
    }
    if (sinceEntry > INTERVAL_BYTES) {
      offsets.append(lastOffset, scanner.position)
      times.maybeAppend(maxTimestampMs, maxTimestampOffset)
      sinceEntry = 0
    }
    sinceEntry += scanner.sizeBytes
  }
  times.maybeAppend(maxTimestampMs, maxTimestampOffset)
  return { offsets, times }
}

/** Not synced: what a power failure leaves of them is checked again when it is read. */
function saveIndexes(
  context: LogContext,
  segment: IndexedSegment,
  offsets: OffsetIndex,
  times: TimeIndex,
): void {
  try {
    context.beforeWrite()
    for (const [suffix, content] of [
      [OFFSET_INDEX_SUFFIX, offsets.bytes()],
      [TIME_INDEX_SUFFIX, times.bytes()],
    ] as const) {
      const handle = context.fs.open(segment.pathOf(suffix), 'create')
      try {
        handle.truncate(0)
        handle.writeNow([content], 0)
      } finally {
        handle.close()
      }
    }
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    context.logger.warn('the indexes of a segment could not be saved', { error: error.message })
  }
}
