import type { LogConfig } from '../../ports/partition-log.ts'
import type { LogSegment } from '../segment/log-segment.ts'

/** The state of a log that retention decides on. */
export interface RetentionInput {
  readonly segments: readonly LogSegment[]
  readonly config: LogConfig
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly nowMs: number
}

/**
 * How many of the oldest segments have had their time. The last one is among them only when it has
 * content; then it must be rolled first. Nothing at or above the high watermark goes.
 * Source: UnifiedLog.deleteOldSegments, Kafka 4.4.
 */
export function expiredSegmentCount(input: RetentionInput): number {
  const byStart = countBelowLogStart(input)
  if (!input.config.isDeleted) return byStart
  return Math.max(byStart, countByTime(input), countBySize(input))
}

/** How many of the oldest segments hold only what DeleteRecords took out; never the last one. */
export function countBelowLogStart({ segments, logStartOffset }: RetentionInput): number {
  return countWhile(segments, (_, next) => next !== undefined && next.baseOffset <= logStartOffset)
}

function countByTime({ segments, config, highWatermark, nowMs }: RetentionInput): number {
  if (config.retentionMs < 0) return 0
  return countWhile(
    segments,
    (segment, next) =>
      isBelow(next, highWatermark) && nowMs - segment.retentionTimestampMs > config.retentionMs,
  )
}

function countBySize({ segments, config, highWatermark }: RetentionInput): number {
  if (config.retentionBytes < 0) return 0
  let excessBytes = -config.retentionBytes
  for (const segment of segments) excessBytes += segment.sizeBytes
  return countWhile(segments, (segment, next) => {
    excessBytes -= segment.sizeBytes
    return isBelow(next, highWatermark) && excessBytes >= 0
  })
}

/** The last segment has no next one: what of it is above the high watermark, the caller checks. */
function isBelow(next: LogSegment | undefined, highWatermark: number): boolean {
  return next === undefined || next.baseOffset <= highWatermark
}

/**
 * How many of the oldest segments are safe with all that goes with them: what was known of their
 * producers must survive in the snapshot at their end before they go.
 */
export function sealedCount(segments: readonly LogSegment[]): number {
  const index = segments.findIndex((segment) => !segment.isSealed)
  return index < 0 ? segments.length : index
}

function countWhile(
  segments: readonly LogSegment[],
  isExpired: (segment: LogSegment, next: LogSegment | undefined) => boolean,
): number {
  let count = 0
  for (const segment of segments) {
    const next = segments[count + 1]
    if (!segment.isSealed || (next === undefined && segment.sizeBytes === 0)) break
    if (!isExpired(segment, next)) break
    count++
  }
  return count
}

/** A record dated in the future keeps its segment from expiring by time; -1: no segment has one. */
export function pinnedByFuture({ segments, config, nowMs }: RetentionInput): number {
  if (!config.isDeleted || config.retentionMs < 0) return -1
  const oldest = segments[0]
  if (oldest === undefined || oldest.sizeBytes === 0) return -1
  return oldest.maxTimestampMs > nowMs ? oldest.maxTimestampMs : -1
}
