import { lastOffsetOf, NO_PRODUCER_ID, producerIdOf } from '../../records/record-batch.ts'
import type { LogContext } from '../log-context.ts'
import { TRANSACTION_INDEX_SUFFIX } from '../log-files.ts'
import type { ProducerSnapshots } from '../producers/producer-snapshots.ts'
import { ProducerState } from '../producers/producer-state.ts'
import { BatchScanner } from '../segment/batch-scanner.ts'
import type { LogSegment } from '../segment/log-segment.ts'
import { TransactionIndex } from '../segment/transaction-index.ts'

const SCAN_BUFFER_BYTES = 1_048_576

/**
 * Takes transaction indexes away that can't be right: with what a start trusts, nobody would see
 * that aborted records are shown. A missing one can't be told from that of a segment without any.
 * @param endOffset of the whole log, or a bound of it
 * @returns the segments whose index must be made again
 */
export function dropDamagedTransactionIndexes(
  context: LogContext,
  segments: readonly LogSegment[],
  names: readonly string[],
  endOffset: number,
): LogSegment[] {
  const { fs, logger } = context
  const found = new Set(names.filter((name) => name.endsWith(TRANSACTION_INDEX_SUFFIX)))
  return segments.filter((segment, index) => {
    const path = segment.pathOf(TRANSACTION_INDEX_SUFFIX)
    if (!found.has(path.slice(path.lastIndexOf('/') + 1))) return false
    if (fs.stat(path) === undefined) return false
    const content = TransactionIndex.parse(fs.readFile(path))
    const nextOffset = segments[index + 1]?.baseOffset ?? endOffset
    const isPossible = content?.entries.every(
      ({ firstOffset, lastOffset }) =>
        firstOffset <= lastOffset && lastOffset >= segment.baseOffset && lastOffset < nextOffset,
    )
    if (isPossible === true) return false
    logger.warn('a transaction index is damaged: making it again', { path })
    context.beforeWrite()
    fs.remove(path)
    return true
  })
}

/** Makes the transaction index of one segment again, from a snapshot before it and the batches. */
export function restoreTransactionIndex(
  context: LogContext,
  segments: readonly LogSegment[],
  damaged: LogSegment,
  snapshots: ProducerSnapshots,
): void {
  const producers = new ProducerState()
  const newest = snapshots.loadNewest(damaged.baseOffset)
  if (newest !== null) producers.load(newest.entries)
  const from = newest?.offset ?? 0
  const restored = new TransactionIndex()
  const buffer = Buffer.allocUnsafe(SCAN_BUFFER_BYTES)
  for (const segment of segments) {
    if (segment.baseOffset > damaged.baseOffset) break
    if (segment.baseOffset < from) continue
    const scanner = new BatchScanner(segment.handle, 0, segment.sizeBytes, buffer, false)
    while (scanner.next()) {
      if (producerIdOf(scanner.buffer, scanner.at) === NO_PRODUCER_ID) continue
      const aborted = producers.update(scanner.buffer, scanner.at)
      producers.transactions.highWatermarkMoved(lastOffsetOf(scanner.buffer, scanner.at) + 1)
      if (aborted !== null && segment === damaged) restored.append(aborted)
    }
  }
  damaged.unload()
  if (restored.entryCount === 0) return
  const handle = context.fs.open(damaged.pathOf(TRANSACTION_INDEX_SUFFIX), 'create')
  try {
    handle.truncate(0)
    handle.writeNow([restored.bytes()], 0)
    handle.dataSyncNow()
  } finally {
    handle.close()
  }
  context.fs.syncDirectory(damaged.directory)
}
