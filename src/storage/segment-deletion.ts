import type { LogConfig } from '../ports/partition-log.ts'
import type { LogContext } from './log-context.ts'
import { DELETED_SUFFIX, INDEX_SUFFIXES, LOG_SUFFIX } from './log-files.ts'
import type { LogSegment } from './log-segment.ts'
import type { LogSegments } from './log-segments.ts'
import { expiredSegmentCount, pinnedByFuture, type RetentionInput } from './retention.ts'

/** What retention uses of a log. */
export interface ExpiringLog {
  readonly directory: string
  readonly segments: LogSegments
  readonly context: LogContext
  readonly config: LogConfig
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly highWatermark: number
  readonly isFailed: boolean
  /** A compacted segment is being put in place: names of files are about to change. */
  readonly isSwapping: boolean
  readonly writer: { roll(): void }
  readonly home: { removeLater(paths: readonly string[], delayMs: number): void }
  advanceLogStart(offset: number): void
}

/**
 * Takes expired segments out of the log: their files get `.deleted` at once and go after
 * `file.delete.delay.ms`, so that reads that have begun find them.
 * @param countOf how many of the oldest segments go; all that have had their time by default
 */
export function deleteExpiredSegments(log: ExpiringLog, countOf = expiredSegmentCount): void {
  if (log.isFailed || log.isSwapping) return
  const input: RetentionInput = {
    segments: log.segments.all,
    config: log.config,
    logStartOffset: log.logStartOffset,
    highWatermark: log.highWatermark,
    nowMs: log.context.clock.nowMs(),
  }
  let count = countOf(input)
  if (count === 0) {
    reportFuture(log, input)
    return
  }
  if (count === log.segments.all.length) {
    if (log.highWatermark === log.logEndOffset) log.writer.roll()
    count = Math.min(count, log.segments.all.length - 1)
  }
  const removed = log.segments.removeFirst(count)
  if (removed.length === 0) return
  log.advanceLogStart(log.segments.first.baseOffset)
  log.context.metrics.deletedSegments.add(removed.length)
  log.context.logger.info('deleting expired segments', {
    directory: log.directory,
    count: removed.length,
    logStartOffset: log.logStartOffset,
  })
  log.context.beforeWrite()
  const paths = removed.flatMap((segment) => retireFiles(log, segment))
  log.home.removeLater(paths, log.config.fileDeleteDelayMs)
}

function retireFiles(log: ExpiringLog, segment: LogSegment): string[] {
  const { fs } = log.context
  const paths: string[] = []
  for (const suffix of [LOG_SUFFIX, ...INDEX_SUFFIXES]) {
    const path = segment.pathOf(suffix)
    if (fs.stat(path) === undefined) continue
    fs.rename(path, path + DELETED_SUFFIX)
    paths.push(path + DELETED_SUFFIX)
  }
  segment.retire()
  return paths
}

/** Logs whose oldest segment was reported: once is enough. */
const reported = new WeakSet<LogSegment>()

function reportFuture(log: ExpiringLog, input: RetentionInput): void {
  const timestampMs = pinnedByFuture(input)
  if (timestampMs < 0 || reported.has(log.segments.first)) return
  reported.add(log.segments.first)
  log.context.logger.warn('a record dated in the future keeps a segment from expiring', {
    file: log.segments.first.pathOf(LOG_SUFFIX),
    timestampMs,
  })
}
