import type { LogConfig } from '../ports/partition-log.ts'
import {
  baseOffsetOf,
  lastOffsetOf,
  NO_PRODUCER_ID,
  partitionLeaderEpochOf,
  producerIdOf,
  RECORD_BATCH_OVERHEAD,
} from '../records/record-batch.ts'
import { BatchScanner } from './batch-scanner.ts'
import { findBatchAfter, isZeroFilled } from './damage.ts'
import { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogContext } from './log-context.ts'
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  INDEX_SUFFIXES,
  LOG_SUFFIX,
  offsetOfFileName,
} from './log-files.ts'
import { LogSegment } from './log-segment.ts'
import { LogSegments } from './log-segments.ts'
import { ProducerSnapshots } from './producer-snapshots.ts'
import { ProducerState } from './producer-state.ts'
import { UnsyncedFiles } from './unsynced-files.ts'
import { finishSwaps } from './swap-recovery.ts'

/** What is known of a log from outside its directory. */
export interface LoadOptions {
  readonly directory: string
  readonly config: LogConfig
  /** The last stop was clean: the files are trusted, but for the last few kilobytes. */
  readonly isClean: boolean
  /** All below it was synced. */
  readonly recoveryPoint: number
  readonly logStartOffset: number
}

/** A log as it was found, or repaired. */
export interface LoadedLog {
  readonly segments: LogSegments
  readonly producers: ProducerState
  readonly snapshots: ProducerSnapshots
  readonly epochs: LeaderEpochCache
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** The last segment was checked or made: a clean stop must write what goes with it. */
  readonly isRepaired: boolean
}

const SCAN_BUFFER_BYTES = 1_048_576

/**
 * Opens the files of a log. After an unclean stop everything from the recovery point on is checked:
 * a torn end is cut off, indexes and producer state are made again from the batches.
 * Source: LogLoader, Kafka 4.4.
 */
export function loadLog(context: LogContext, options: LoadOptions): LoadedLog {
  return new LogRecovery(context, options).load()
}

class LogRecovery {
  readonly #context: LogContext
  readonly #options: LoadOptions
  readonly #names: readonly string[]
  readonly #epochs: LeaderEpochCache
  /** Segments whose indexes were made again. */
  readonly #rebuilt = new Set<LogSegment>()
  #logEndOffset = 0

  constructor(context: LogContext, options: LoadOptions) {
    this.#context = context
    this.#options = options
    const names = finishSwaps(context, options.directory, context.fs.list(options.directory))
    this.#names = this.#sweep(names)
    this.#epochs = LeaderEpochCache.load(context.fs, options.directory)
  }

  load(): LoadedLog {
    const { directory } = this.#options
    const bases = this.#names.map((name) => offsetOfFileName(name, LOG_SUFFIX))
    let segments = bases
      .filter((base) => base >= 0)
      .map((base) => new LogSegment(this.#context, directory, base, false, this.#jitterMs()))
    if (segments.length > 0) segments = this.#checkSegments(segments)
    segments = this.#atLogStart(segments)
    const logStartOffset = Math.max(
      this.#options.logStartOffset,
      (segments[0] as LogSegment).baseOffset,
    )
    const snapshots = new ProducerSnapshots(this.#context, directory, this.#names)
    this.#epochs.truncateFromEnd(this.#logEndOffset)
    const producers = this.#loadProducers(segments, snapshots)
    const isRepaired = this.#rebuilt.size > 0
    if (isRepaired) {
      snapshots.trim(this.#logEndOffset)
      this.#saveIndexes(segments)
    }
    return {
      segments: new LogSegments(segments, this.#context.segments),
      producers,
      snapshots,
      epochs: this.#epochs,
      logStartOffset,
      logEndOffset: this.#logEndOffset,
      isRepaired,
    }
  }

  /** Finishes what was left half done: files on their way out, indexes without a log. */
  #sweep(names: readonly string[]): string[] {
    const { fs } = this.#context
    const { directory } = this.#options
    const kept: string[] = []
    for (const name of names) {
      const suffix = INDEX_SUFFIXES.find((ending) => name.endsWith(ending))
      const isOrphan =
        suffix !== undefined && !names.includes(name.slice(0, -suffix.length) + LOG_SUFFIX)
      const isLeftOver = [DELETED_SUFFIX, CLEANED_SUFFIX, '.tmp'].some((end) => name.endsWith(end))
      if (!isOrphan && !isLeftOver) {
        kept.push(name)
        continue
      }
      this.#context.beforeWrite()
      fs.remove(`${directory}/${name}`)
    }
    return kept
  }

  #checkSegments(segments: LogSegment[]): LogSegment[] {
    const active = segments.at(-1) as LogSegment
    if (this.#options.isClean) {
      this.#logEndOffset = active.resume()
      if (this.#logEndOffset >= 0) return segments
      this.#context.logger.warn('the end of a cleanly stopped log does not fit its index', {
        file: active.pathOf(LOG_SUFFIX),
      })
    }
    const first = segments.findIndex((segment, index) => {
      const next = segments[index + 1]
      const isUnsynced = next === undefined || next.baseOffset > this.#options.recoveryPoint
      return isUnsynced && (!this.#options.isClean || segment === active)
    })
    if (first === segments.length - 1 && active.sizeBytes === 0) {
      // Nothing was written since it was made: thousands of idle partitions cost nothing.
      this.#logEndOffset = active.resume()
      return segments
    }
    for (let index = first; index < segments.length; index++) {
      if (this.#recoverSegment(segments[index] as LogSegment)) continue
      // Only bytes behind its last batch were cut: a preallocated file that was not trimmed.
      if (segments[index + 1]?.baseOffset === this.#logEndOffset) continue
      return this.#setAside(segments, index + 1)
    }
    return segments
  }

  /** @returns false when the segment was cut, so that what follows does not connect */
  #recoverSegment(segment: LogSegment): boolean {
    this.#context.beforeWrite()
    this.#rebuilt.add(segment)
    const buffer = scanBufferFor(segment.sizeBytes)
    const { scanner, nextOffset } = segment.rebuild(this.#options.config.indexIntervalBytes, buffer)
    this.#logEndOffset = nextOffset
    const fileBytes = segment.handle.sizeBytes()
    if (scanner.problem !== null) this.#cut(segment, scanner.problem, fileBytes)
    // What is left must be safe before anybody is told that it is there.
    segment.handle.dataSyncNow()
    segment.isSynced = true
    return scanner.problem === null
  }

  #cut(segment: LogSegment, problem: string, fileBytes: number): void {
    const { handle } = segment
    const position = segment.sizeBytes
    const cutBytes = fileBytes - position
    const fields = { file: handle.path, position, cutBytes, problem }
    this.#context.metrics.cutBytes.add(cutBytes)
    if (isZeroFilled(handle, position, fileBytes)) {
      this.#context.logger.info('cut zeros off the end of a log', fields)
    } else {
      const found = findBatchAfter(handle, position, fileBytes, this.#logEndOffset)
      if (found < 0) {
        this.#context.logger.warn('cut a torn write off the end of a log', fields)
      } else {
        const copy = `${handle.path}.corrupt-${position}`
        this.#copyAside(segment, copy, position, fileBytes)
        this.#context.logger.error(
          'a log is damaged in the middle: records behind the damage were taken out, see copy',
          { ...fields, nextValidPosition: found, copy },
        )
      }
    }
    handle.truncate(position)
  }

  #copyAside(segment: LogSegment, path: string, position: number, fileBytes: number): void {
    const copy = this.#context.fs.open(path, 'create')
    const buffer = Buffer.allocUnsafe(SCAN_BUFFER_BYTES)
    for (let at = position; at < fileBytes; ) {
      const count = segment.handle.readNow(buffer, 0, Math.min(buffer.length, fileBytes - at), at)
      if (count === 0) break
      copy.writeNow([buffer.subarray(0, count)], at - position)
      at += count
    }
    copy.dataSyncNow()
    copy.close()
    this.#context.fs.syncDirectory(this.#options.directory)
  }

  /** Segments behind a cut do not connect to the log any more; nothing of them is deleted. */
  #setAside(segments: LogSegment[], from: number): LogSegment[] {
    const { fs, logger } = this.#context
    for (const segment of segments.slice(from)) {
      const file = segment.pathOf(LOG_SUFFIX)
      const copy = `${file}.corrupt-0`
      if (segment.sizeBytes > 0)
        logger.error('a segment behind a damaged one was taken out, see copy', { file, copy })
      segment.retire()
      fs.rename(file, copy)
      for (const suffix of INDEX_SUFFIXES) fs.remove(segment.pathOf(suffix))
    }
    return segments.slice(0, from)
  }

  /** The log never ends before its start: then it is empty and goes on there. */
  #atLogStart(segments: LogSegment[]): LogSegment[] {
    const { logStartOffset, directory } = this.#options
    if (segments.length > 0 && this.#logEndOffset >= logStartOffset) return segments
    this.#context.beforeWrite()
    if (segments.length > 0) {
      this.#context.logger.warn('a log ends before its start: all of it was deleted before', {
        directory,
        logStartOffset,
        logEndOffset: this.#logEndOffset,
      })
    }
    for (const segment of segments) {
      segment.retire()
      for (const suffix of [LOG_SUFFIX, ...INDEX_SUFFIXES])
        this.#context.fs.remove(segment.pathOf(suffix))
    }
    const first = new LogSegment(this.#context, directory, logStartOffset, true, this.#jitterMs())
    // Opening makes the file; its name is safe with the directory.
    first.allocate(this.#options.config)
    first.handle.dataSyncNow()
    this.#context.fs.syncDirectory(directory)
    this.#rebuilt.clear()
    this.#epochs.truncateFromEnd(0)
    this.#logEndOffset = logStartOffset
    return [first]
  }

  #loadProducers(segments: readonly LogSegment[], snapshots: ProducerSnapshots): ProducerState {
    const producers = new ProducerState()
    const firstRebuilt = segments.find((segment) => this.#rebuilt.has(segment))
    // Aborted transactions of rebuilt segments are found by replaying all of them.
    const newest = snapshots.loadNewest(firstRebuilt?.baseOffset ?? this.#logEndOffset)
    if (newest !== null) producers.load(newest.entries)
    producers.expire(this.#context.clock.nowMs(), this.#options.config.producerIdExpirationMs)
    const from = newest?.offset ?? 0
    for (const [index, segment] of segments.entries()) {
      const endOffset = segments[index + 1]?.baseOffset ?? this.#logEndOffset
      if (endOffset > from) this.#replay(segment, from, producers)
    }
    producers.transactions.highWatermarkMoved(this.#logEndOffset)
    return producers
  }

  #replay(segment: LogSegment, from: number, producers: ProducerState): void {
    const isRebuilt = this.#rebuilt.has(segment)
    const start = from > segment.baseOffset ? segment.indexes.offsets.lookup(from) : 0
    const buffer = scanBufferFor(segment.sizeBytes)
    const scanner = new BatchScanner(segment.handle, start, segment.sizeBytes, buffer, false)
    while (scanner.next()) {
      const { at } = scanner
      if (lastOffsetOf(scanner.buffer, at) < from) continue
      const baseOffset = baseOffsetOf(scanner.buffer, at)
      const epoch = partitionLeaderEpochOf(scanner.buffer, at)
      if (epoch > this.#epochs.latestEpoch) this.#epochs.assign(epoch, baseOffset)
      if (producerIdOf(scanner.buffer, at) === NO_PRODUCER_ID) continue
      const aborted = producers.update(scanner.buffer, at)
      if (aborted !== null && isRebuilt) segment.indexes.transactions.append(aborted)
    }
  }

  /**
   * Closed segments are opened by their index files from now on. Those of the last one stay in
   * memory until it is closed: if the next stop is not clean either, it is checked again.
   */
  #saveIndexes(segments: readonly LogSegment[]): void {
    const closed = segments.slice(0, -1).filter((segment) => this.#rebuilt.has(segment))
    if (closed.length === 0) return
    for (const segment of closed) {
      const files = new UnsyncedFiles(this.#context.fs)
      try {
        segment.writeIndexes(files)
        files.syncNow()
      } finally {
        files.close()
      }
    }
    this.#context.fs.syncDirectory(this.#options.directory)
    for (const segment of closed) this.#context.segments.touch(segment)
  }

  #jitterMs(): number {
    return segmentJitterMs(this.#context, this.#options.config)
  }
}

function scanBufferFor(sizeBytes: number): Buffer {
  return Buffer.allocUnsafe(Math.max(RECORD_BATCH_OVERHEAD, Math.min(SCAN_BUFFER_BYTES, sizeBytes)))
}

/** Spreads the rolls of many logs; drawn anew for each segment. */
export function segmentJitterMs(context: LogContext, config: LogConfig): number {
  if (config.segmentJitterMs <= 0) return 0
  return Math.min(
    context.random.int(Math.min(config.segmentJitterMs, 0x7fff_ffff)),
    config.segmentMs,
  )
}
