import type { LogConfig } from '../../ports/partition-log.ts'
import type { LogContext } from '../log-context.ts'
import { DELETED_SUFFIX, INDEX_SUFFIXES, LOG_SUFFIX } from '../log-files.ts'
import type { LogSegment } from '../segment/log-segment.ts'
import type { LogSegments } from '../segment/log-segments.ts'
import {
  countBelowLogStart,
  expiredSegmentCount,
  pinnedByFuture,
  type RetentionInput,
  sealedCount,
} from './retention.ts'

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
  readonly writer: { rollAndSync(): Promise<void> }
  readonly home: {
    removeLater(paths: readonly string[], delayMs: number): void
    deleteExpiredSoon(): void
  }
  advanceLogStart(offset: number): void
}

/**
 * Where the log starts once retention took what has had its time; -1: nothing has. The segments go by
 * `advanceLogStart` and `deleteSegmentsBelowStart`, when that start is safe: a log start that somebody
 * saw must not go back, and a power failure may give their files back their names.
 */
export function startAfterRetention(log: ExpiringLog): number {
  if (log.isFailed || log.isSwapping) return -1
  const input = inputOf(log)
  let count = expiredSegmentCount(input)
  if (count === 0) {
    reportFuture(log, input)
    return -1
  }
  if (count === log.segments.all.length) {
    if (log.highWatermark === log.logEndOffset) rollExpired(log)
    count = Math.min(count, log.segments.all.length - 1, sealedCount(log.segments.all))
  }
  return count === 0 ? -1 : (log.segments.all[count] as LogSegment).baseOffset
}

/** What is in the last segment goes once it is safe with all that goes with it. */
function rollExpired(log: ExpiringLog): void {
  log.writer.rollAndSync().then(
    () => log.home.deleteExpiredSoon(),
    (error: Error) =>
      log.context.logger.error('an expired segment could not be ended, it is tried again', {
        directory: log.directory,
        error: error.message,
      }),
  )
}

/**
 * Takes segments out that hold nothing at or above the log start: their files get `.deleted` at once
 * and go after `file.delete.delay.ms`, so that reads that have begun find them.
 */
export function deleteSegmentsBelowStart(log: ExpiringLog): void {
  if (log.isFailed || log.isSwapping) return
  const removed = log.segments.removeFirst(countBelowLogStart(inputOf(log)))
  if (removed.length === 0) return
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

function inputOf(log: ExpiringLog): RetentionInput {
  return {
    segments: log.segments.all,
    config: log.config,
    logStartOffset: log.logStartOffset,
    highWatermark: log.highWatermark,
    nowMs: log.context.clock.nowMs(),
  }
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
