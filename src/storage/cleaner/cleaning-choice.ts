import type { LogConfig } from '../../ports/partition-log.ts'
import type { LogSegment } from '../segment/log-segment.ts'
import type { LogSegments } from '../segment/log-segments.ts'

/** What the choice looks at. */
export interface DirtyLog {
  readonly segments: LogSegments
  readonly config: LogConfig
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly lastStableOffset: number
  /** All below it is safe on disk. */
  readonly recoveryPoint: number
}

/** How far a log is cleaned and could be. */
export interface CleaningRange {
  readonly firstDirtyOffset: number
  /** Where the first segment that may not be cleaned begins. */
  readonly upperBoundOffset: number
  readonly dirtyBytes: number
  /** Of the bytes that may be cleaned, how many were not yet: 0 to 1. */
  readonly dirtyRatio: number
  /** A record waits for longer than `max.compaction.lag.ms`. */
  readonly isOverdue: boolean
}

/**
 * @param checkpoint all below it was cleaned before, undefined: nothing
 * Source: LogCleanerManager.cleanableOffsets and LogToClean, Kafka 4.4; KIP-354.
 */
export function cleaningRangeOf(
  log: DirtyLog,
  checkpoint: number | undefined,
  nowMs: number,
): CleaningRange {
  const { segments, logStartOffset } = log
  let firstDirtyOffset = checkpoint ?? logStartOffset
  // Below the start is nothing; beyond the end is what a crash took, and other records came there.
  if (firstDirtyOffset < logStartOffset || firstDirtyOffset > log.logEndOffset)
    firstDirtyOffset = logStartOffset
  const limit = Math.max(firstDirtyOffset, firstUncleanableOffset(log, firstDirtyOffset, nowMs))
  const upperBoundOffset = segments.at(segments.indexOf(limit))?.baseOffset ?? limit
  let cleanBytes = 0
  let dirtyBytes = 0
  const firstDirtyIndex = segments.indexOf(firstDirtyOffset)
  for (const [index, segment] of segments.all.entries()) {
    if (segment.baseOffset >= upperBoundOffset) break
    if (index < firstDirtyIndex) cleanBytes += segment.sizeBytes
    else dirtyBytes += segment.sizeBytes
  }
  const totalBytes = cleanBytes + dirtyBytes
  return {
    firstDirtyOffset,
    upperBoundOffset,
    dirtyBytes,
    dirtyRatio: totalBytes === 0 ? 0 : dirtyBytes / totalBytes,
    isOverdue: isOverdue(log, firstDirtyOffset, nowMs),
  }
}

/** Whether a round is worth its reading and writing now. */
export function isWorthCleaning(range: CleaningRange, config: LogConfig): boolean {
  if (range.dirtyBytes === 0) return false
  return range.isOverdue || range.dirtyRatio > config.minCleanableDirtyRatio
}

/** Closed segments from the one with the offset on. */
function dirtySegments({ segments }: DirtyLog, firstDirtyOffset: number): LogSegment[] {
  return segments.all.slice(segments.indexOf(firstDirtyOffset), -1)
}

/** Not the last segment, nothing of open transactions, nothing unsafe, nothing too young. */
function firstUncleanableOffset(log: DirtyLog, firstDirtyOffset: number, nowMs: number): number {
  const { segments, config } = log
  const limit = Math.min(log.lastStableOffset, segments.active.baseOffset, log.recoveryPoint)
  if (config.minCompactionLagMs <= 0) return limit
  const young = dirtySegments(log, firstDirtyOffset).find(
    ({ maxTimestampMs }) => maxTimestampMs > nowMs - config.minCompactionLagMs,
  )
  return Math.min(limit, young?.baseOffset ?? limit)
}

function isOverdue(log: DirtyLog, firstDirtyOffset: number, nowMs: number): boolean {
  const oldestMs = nowMs - Math.max(log.config.maxCompactionLagMs, 0)
  // Without a limit, which is the default, no file is read for it.
  if (oldestMs <= 0) return false
  return dirtySegments(log, firstDirtyOffset).some((segment) => {
    const { firstTimestampMs } = log.segments.use(segment)
    return firstTimestampMs > 0 && firstTimestampMs < oldestMs
  })
}
