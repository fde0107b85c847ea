import { StorageError } from '../../base/errors.ts'
import type { LogConfig } from '../../ports/partition-log.ts'
import { findBatchAfter, isZeroFilled } from '../damage.ts'
import type { LeaderEpochCache } from '../leader-epoch-cache.ts'
import type { LogContext } from '../log-context.ts'
import { INDEX_SUFFIXES, LOG_SUFFIX, offsetOfFileName } from '../log-files.ts'
import { ProducerSnapshots } from '../producers/producer-snapshots.ts'
import type { ProducerState } from '../producers/producer-state.ts'
import { IN_NEXT_SEGMENT, LogSegment } from '../segment/log-segment.ts'
import { LogSegments } from '../segment/log-segments.ts'
import { TailRewriter } from '../segment/tail-rewriter.ts'
import { UnsyncedFiles } from '../segment/unsynced-files.ts'
import { checkLeaderEpochs, loadLeaderEpochs } from './leader-epoch-repair.ts'
import { recoverProducers } from './producer-recovery.ts'
import { SCAN_BUFFER_BYTES, scanBufferFor } from './scan-buffer.ts'
import { finishSwaps } from './swap-recovery.ts'
import {
  dropDamagedTransactionIndexes,
  restoreTransactionIndex,
} from './transaction-index-repair.ts'

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

const NO_OFFSET = -1
/** Files of ours on their way out, or not ready; what people put beside them is left alone. */
const LEFT_OVER =
  /^(\d{20}\..+\.(deleted|cleaned)|(leader-epoch-checkpoint|partition\.metadata)\.tmp)$/

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
  #epochs: LeaderEpochCache
  /** Segments whose indexes were made again. */
  readonly #rebuilt = new Set<LogSegment>()
  /** Snapshots that were written again. */
  readonly #snapshotFiles: UnsyncedFiles
  #logEndOffset = 0
  /** What was there was below the log start and is taken out. */
  #isEmptied = false

  constructor(context: LogContext, options: LoadOptions) {
    this.#context = context
    this.#options = options
    this.#snapshotFiles = new UnsyncedFiles(context.fs)
    const names = finishSwaps(context, options.directory, context.fs.list(options.directory))
    this.#names = this.#sweep(names)
    this.#epochs = loadLeaderEpochs(context, options.directory)
  }

  load(): LoadedLog {
    const { directory } = this.#options
    const bases = this.#names.map((name) => offsetOfFileName(name, LOG_SUFFIX))
    let segments = bases
      .filter((base) => base >= 0)
      .map((base) => new LogSegment(this.#context, directory, base, false, this.#jitterMs()))
    const damaged = this.#dropDamagedTransactionIndexes(segments, Number.MAX_SAFE_INTEGER)
    if (segments.length > 0) segments = this.#checkSegments(segments)
    segments = this.#atLogStart(segments)
    damaged.push(...this.#dropDamagedTransactionIndexes(segments, this.#logEndOffset))
    const logStartOffset = Math.max(
      this.#options.logStartOffset,
      (segments[0] as LogSegment).baseOffset,
    )
    const snapshots = new ProducerSnapshots(this.#context, directory, this.#names)
    // As in Kafka, a log that was emptied knows no producers: whatever they send next is right.
    snapshots.dropAbove(this.#isEmptied ? NO_OFFSET : this.#logEndOffset)
    this.#epochs.truncateFromEnd(this.#logEndOffset)
    // Replaying the segments that were made again finds their epochs.
    const kept = segments.filter((segment) => !this.#rebuilt.has(segment))
    this.#epochs = checkLeaderEpochs(this.#context, this.#epochs, kept)
    const producers = recoverProducers({
      ...{ context: this.#context, options: this.#options, segments, snapshots },
      ...{ rebuilt: this.#rebuilt, epochs: this.#epochs, logEndOffset: this.#logEndOffset },
      files: this.#snapshotFiles,
    })
    for (const segment of damaged)
      if (segments.includes(segment) && !this.#rebuilt.has(segment))
        restoreTransactionIndex(this.#context, segments, segment, snapshots)
    const isRepaired = this.#rebuilt.size > 0 || this.#epochs.isDirty
    if (this.#rebuilt.size > 0) {
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
    const logs = new Set(names.filter((name) => name.endsWith(LOG_SUFFIX)))
    const kept: string[] = []
    for (const name of names) {
      const suffix = INDEX_SUFFIXES.find((ending) => offsetOfFileName(name, ending) >= 0)
      const isOrphan = suffix !== undefined && !logs.has(name.slice(0, -suffix.length) + LOG_SUFFIX)
      const isLeftOver = LEFT_OVER.test(name)
      if (!isOrphan && !isLeftOver) {
        kept.push(name)
        continue
      }
      this.#context.beforeWrite()
      fs.remove(`${directory}/${name}`)
    }
    return kept
  }

  #dropDamagedTransactionIndexes(segments: readonly LogSegment[], endOffset: number): LogSegment[] {
    return dropDamagedTransactionIndexes(this.#context, segments, this.#names, endOffset)
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
    const recovered = this.#recoverFrom(segments, first)
    if (first === 0 || this.#logEndOffset >= this.#options.recoveryPoint) return recovered
    // What was synced is there, so the point is of another log and says nothing about this one.
    this.#context.logger.warn(
      'the recovery point is above the end of its log: checking all of it',
      {
        directory: this.#options.directory,
        recoveryPoint: this.#options.recoveryPoint,
        logEndOffset: this.#logEndOffset,
      },
    )
    return this.#recoverFrom(recovered, 0)
  }

  #recoverFrom(segments: LogSegment[], first: number): LogSegment[] {
    for (let index = first; index < segments.length; index++) {
      const endOffset = segments[index + 1]?.baseOffset
      const bytesBehind = segments.slice(index + 1).reduce((sum, one) => sum + one.sizeBytes, 0)
      const problem = this.#recoverSegment(segments[index] as LogSegment, endOffset, bytesBehind)
      if (problem === null || problem === IN_NEXT_SEGMENT) continue
      // Only bytes behind its last batch were cut: a preallocated file that was not trimmed.
      if (endOffset === this.#logEndOffset) continue
      return this.#setAside(segments, index + 1)
    }
    return segments
  }

  /** @returns why the segment was cut, so that what follows may not connect; null: it is whole */
  #recoverSegment(
    segment: LogSegment,
    endOffset: number | undefined,
    bytesBehind: number,
  ): string | null {
    this.#context.beforeWrite()
    this.#rebuilt.add(segment)
    const buffer = scanBufferFor(segment.sizeBytes)
    const { indexIntervalBytes, durability } = this.#options.config
    const rewriter = durability === 'fsync' ? new TailRewriter(segment.handle, bytesBehind) : null
    const { scanner, nextOffset } = segment.rebuild(indexIntervalBytes, buffer, endOffset, rewriter)
    this.#logEndOffset = nextOffset
    const fileBytes = segment.handle.sizeBytes()
    if (scanner.problem !== null) this.#cut(segment, scanner.problem, fileBytes)
    // What is left must be safe before anybody is told that it is there.
    segment.handle.dataSyncNow()
    segment.isSynced = true
    return scanner.problem
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
  #setAside(
    segments: LogSegment[],
    from: number,
    reason = 'a segment behind a damaged one was taken out, see copy',
  ): LogSegment[] {
    const { fs, logger } = this.#context
    for (const segment of segments.slice(from)) {
      const file = segment.pathOf(LOG_SUFFIX)
      const copy = `${file}.corrupt-0`
      if (segment.sizeBytes > 0) logger.error(reason, { file, copy })
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
    if (segments.length > 0 && this.#options.isClean) {
      // A clean stop wrote both.
      throw new StorageError(
        `${directory} ends at offset ${this.#logEndOffset}, but log-start-offset-checkpoint says ` +
          `that it starts at ${logStartOffset}: restore the one that is of another time`,
      )
    }
    this.#context.beforeWrite()
    // Without syncs a power failure may take more than DeleteRecords did.
    this.#setAside(segments, 0, 'a segment is below the start of its log: taken out, see copy')
    const first = new LogSegment(this.#context, directory, logStartOffset, true, this.#jitterMs())
    // Opening makes the file; its name is safe with the directory.
    first.allocate(this.#options.config)
    first.handle.dataSyncNow()
    this.#context.fs.syncDirectory(directory)
    this.#rebuilt.clear()
    this.#isEmptied = true
    this.#epochs.truncateFromEnd(0)
    this.#logEndOffset = logStartOffset
    return [first]
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
    this.#snapshotFiles.syncNow()
    this.#snapshotFiles.close()
    this.#context.fs.syncDirectory(this.#options.directory)
    for (const segment of closed) this.#context.segments.touch(segment)
  }

  #jitterMs(): number {
    return segmentJitterMs(this.#context, this.#options.config)
  }
}

/** Spreads the rolls of many logs; drawn anew for each segment. */
export function segmentJitterMs(context: LogContext, config: LogConfig): number {
  if (config.segmentJitterMs <= 0) return 0
  return Math.min(
    context.random.int(Math.min(config.segmentJitterMs, 0x7fff_ffff)),
    config.segmentMs,
  )
}
