import { StorageError } from '../../base/errors.ts'
import type { LogSlice, PartitionLog, TimestampOffset } from '../../ports/partition-log.ts'
import { CorruptRecordError } from '../../records/corrupt-record-error.ts'
import {
  baseOffsetOf,
  lastOffsetOf,
  maxTimestampOf,
  partitionLeaderEpochOf,
  sizeInBytesOf,
} from '../../records/record-batch.ts'
import {
  findMaxTimestamp,
  findTimestamp,
  recordsOf,
  type TimestampAndOffset,
} from '../../records/records-iterator.ts'
import type { LogSegment } from './log-segment.ts'
import type { LogSegments } from './log-segments.ts'

const SEARCH_BYTES = 65_536

/** The read side of a log that a search uses. */
type Readable = Pick<PartitionLog, 'read' | 'logStartOffset'>

/**
 * The first record at or after `timestampMs`, from the log start to `endOffset`. Segments and the
 * time index skip what is older as a whole; then batches are looked into.
 */
export async function findOffsetForTimestamp(
  log: Readable,
  segments: LogSegments,
  timestampMs: number,
  endOffset: number,
): Promise<TimestampOffset | null> {
  for (const { segment, segmentEnd } of walkSegments(log, segments, endOffset)) {
    if (segment.maxTimestampMs < timestampMs) continue
    const start = Math.max(
      segments.use(segment).indexes.times.lookup(timestampMs),
      log.logStartOffset,
    )
    const found = await searchBatches(log, start, segmentEnd, (buffer, at) =>
      maxTimestampOf(buffer, at) < timestampMs
        ? null
        : findTimestamp(buffer, at, timestampMs, log.logStartOffset),
    )
    if (found !== null) return found
  }
  return null
}

/** The record with the largest timestamp below `endOffset`; the first of equal ones. */
export async function findLargestTimestamp(
  log: Readable,
  segments: LogSegments,
  endOffset: number,
): Promise<TimestampOffset | null> {
  let best: TimestampOffset | null = null
  for (const { segment, segmentEnd } of walkSegments(log, segments, endOffset)) {
    if (segment.sizeBytes === 0) continue
    if (best !== null && segment.maxTimestampMs <= best.timestampMs) continue
    const candidate = await largestIn(log, segment, segmentEnd)
    if (candidate !== null && (best === null || candidate.timestampMs > best.timestampMs))
      best = candidate
  }
  return best
}

/**
 * The segments below `endOffset` with the end of each. It goes by offsets: retention and compaction
 * change the list while the caller waits for a read.
 */
function* walkSegments(
  log: Readable,
  segments: LogSegments,
  endOffset: number,
): Generator<{ readonly segment: LogSegment; readonly segmentEnd: number }> {
  for (let offset = log.logStartOffset; offset < endOffset; ) {
    const index = segments.indexOf(offset)
    const segmentEnd = Math.min(segments.at(index + 1)?.baseOffset ?? endOffset, endOffset)
    yield { segment: segments.at(index) ?? segments.active, segmentEnd }
    offset = segmentEnd
  }
}

async function largestIn(
  log: Readable,
  segment: LogSegment,
  endOffset: number,
): Promise<TimestampOffset | null> {
  const { maxTimestampMs, maxTimestampOffset } = segment
  const isReadable = maxTimestampOffset < endOffset && maxTimestampOffset >= log.logStartOffset
  // The segment knows its largest; only what is hidden or deleted makes a walk necessary.
  if (isReadable) {
    const found = await searchBatches(log, maxTimestampOffset, endOffset, (buffer, at) =>
      maxTimestampOf(buffer, at) < maxTimestampMs
        ? null
        : largestFrom(buffer, at, log.logStartOffset),
    )
    if (found !== null && found.timestampMs === maxTimestampMs) return found
  }
  let best: TimestampOffset | null = null
  const start = Math.max(segment.baseOffset, log.logStartOffset)
  await searchBatches(log, start, endOffset, (buffer, at) => {
    if (best !== null && maxTimestampOf(buffer, at) <= best.timestampMs) return null
    const found = largestFrom(buffer, at, log.logStartOffset)
    if (found !== null && (best === null || found.timestamp > best.timestampMs))
      best = withEpoch(found, partitionLeaderEpochOf(buffer, at))
    return null
  })
  return best
}

/** As `findMaxTimestamp`, of the records from an offset on: DeleteRecords may hide a batch's first. */
function largestFrom(buffer: Buffer, at: number, fromOffset: number): TimestampAndOffset | null {
  const found = findMaxTimestamp(buffer, at)
  if (found === null || found.offset >= fromOffset) return found
  let largest: TimestampAndOffset | null = null
  for (const { offset, timestamp } of recordsOf(buffer, at)) {
    if (offset < fromOffset) continue
    if (largest === null || timestamp > largest.timestamp) largest = { offset, timestamp }
  }
  return largest
}

/** Walks whole batches until `look` finds something. */
async function searchBatches(
  log: Readable,
  startOffset: number,
  endOffset: number,
  look: (buffer: Buffer, at: number) => TimestampAndOffset | null,
): Promise<TimestampOffset | null> {
  let offset = startOffset
  let isReadAgain = false
  while (offset < endOffset) {
    const slice = await readSlice(log, offset, endOffset)
    try {
      if (slice.byteLength === 0) return null
      for (const piece of slice.pieces) {
        for (let at = 0; at < piece.byteLength; at += sizeInBytesOf(piece, at)) {
          const found = look(piece, at)
          if (found !== null) return withEpoch(found, partitionLeaderEpochOf(piece, at))
          offset = Math.max(offset, lastOffsetOf(piece, at) + 1, baseOffsetOf(piece, at) + 1)
        }
      }
      isReadAgain = false
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error
      // A flipped bit may be one of the disk or its cable, which is not there the next time.
      if (isReadAgain)
        throw new StorageError(`a batch behind offset ${offset} is damaged: ${error.message}`)
      isReadAgain = true
    } finally {
      slice.release()
    }
  }
  return null
}

function readSlice(log: Readable, offset: number, endOffset: number): Promise<LogSlice> {
  return new Promise((resolve, reject) => {
    const request = {
      offset,
      endOffset,
      maxBytes: SEARCH_BYTES,
      atLeastOne: true,
      includeAborted: false,
    }
    const slice = log.read(request, (error, later) => {
      if (later === null) reject(error)
      else resolve(later)
    })
    if (slice !== null) resolve(slice)
  })
}

const withEpoch = (found: TimestampAndOffset, leaderEpoch: number): TimestampOffset => ({
  timestampMs: found.timestamp,
  offset: found.offset,
  leaderEpoch,
})
