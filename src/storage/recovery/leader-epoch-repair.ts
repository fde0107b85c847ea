import { StorageError } from '../../base/errors.ts'
import { baseOffsetOf, partitionLeaderEpochOf } from '../../records/record-batch.ts'
import { LeaderEpochCache } from '../leader-epoch-cache.ts'
import type { LogContext } from '../log-context.ts'
import { BatchScanner } from '../segment/batch-scanner.ts'
import type { LogSegment } from '../segment/log-segment.ts'

const SCAN_BUFFER_BYTES = 65_536
const NO_EPOCH = -1

/** Reads the epochs of a log; a damaged file has none, since the batches say them too. */
export function loadLeaderEpochs(context: LogContext, directory: string): LeaderEpochCache {
  try {
    return LeaderEpochCache.load(context.fs, directory)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    context.logger.warn('the leader epochs of a log are damaged: making them again', {
      error: error.message,
    })
    return new LeaderEpochCache()
  }
}

/**
 * Compares the epochs with the last batch of the log, and reads all again from the batches when they
 * don't know its epoch: the file is missing, or older than the log.
 */
export function checkLeaderEpochs(
  context: LogContext,
  epochs: LeaderEpochCache,
  segments: readonly LogSegment[],
): LeaderEpochCache {
  const filled = segments.filter(({ sizeBytes }) => sizeBytes > 0)
  const last = filled.at(-1)
  if (last === undefined) return epochs
  const newest = lastEpochOf(last)
  if (newest === NO_EPOCH || epochs.latestEpoch >= newest) return epochs
  context.logger.warn('the leader epochs of a log are not all there: making them again', {
    directory: last.directory,
  })
  const made = new LeaderEpochCache()
  for (const [index, segment] of filled.entries()) {
    const next = filled[index + 1]
    addEpochs(made, segment, next === undefined ? newest : firstEpochOf(next))
  }
  return made
}

/** @param lastEpoch what it ends with; when it begins with it too, nothing in between differs */
function addEpochs(epochs: LeaderEpochCache, segment: LogSegment, lastEpoch: number): void {
  const scanner = scannerOf(segment, 0)
  while (scanner.next()) {
    const epoch = partitionLeaderEpochOf(scanner.buffer, scanner.at)
    epochs.assign(epoch, baseOffsetOf(scanner.buffer, scanner.at))
    if (epoch >= lastEpoch) return
  }
}

function firstEpochOf(segment: LogSegment): number {
  const scanner = scannerOf(segment, 0)
  return scanner.next() ? partitionLeaderEpochOf(scanner.buffer, scanner.at) : NO_EPOCH
}

function lastEpochOf(segment: LogSegment): number {
  const scanner = scannerOf(segment, segment.indexes.offsets.lastPosition)
  let epoch = NO_EPOCH
  while (scanner.next()) epoch = partitionLeaderEpochOf(scanner.buffer, scanner.at)
  return epoch
}

function scannerOf(segment: LogSegment, position: number): BatchScanner {
  const buffer = Buffer.allocUnsafe(Math.min(SCAN_BUFFER_BYTES, segment.sizeBytes))
  return new BatchScanner(segment.handle, position, segment.sizeBytes, buffer, false)
}
