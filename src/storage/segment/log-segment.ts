import type { FileHandle } from '../../ports/file-system.ts'
import type { LogConfig } from '../../ports/partition-log.ts'
import {
  baseOffsetOf,
  lastOffsetOf,
  maxTimestampOf,
  RECORD_BATCH_OVERHEAD,
} from '../../records/record-batch.ts'
import type { LogContext } from '../log-context.ts'
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from '../log-files.ts'
import { BatchScanner } from './batch-scanner.ts'
import { OffsetIndex } from './offset-index.ts'
import { loadIndexes, type SegmentIndexes } from './segment-indexes.ts'
import type { TailRewriter } from './tail-rewriter.ts'
import { TimeIndex } from './time-index.ts'
import { TransactionIndex } from './transaction-index.ts'
import type { UnsyncedFiles } from './unsynced-files.ts'

/** int32: offsets in an index are relative to the base offset, positions are file positions. */
const MAX_RELATIVE = 0x7fff_ffff
const OFFSET_ENTRY_BYTES = 8
const TIME_ENTRY_BYTES = 12
const SCAN_BUFFER_BYTES = 65_536

/** A problem of a batch: the segment behind is whole and has its offsets. */
export const IN_NEXT_SEGMENT = 'the offset of a batch is in the next segment'

/**
 * A piece of a log: one `.log` file of batches and its indexes. The last segment of a log grows and
 * keeps its indexes in memory; the others are opened when somebody reads them and closed again by
 * the SegmentCache. Source: LogSegment, Kafka 4.4.
 */
export class LogSegment {
  readonly baseOffset: number
  readonly directory: string
  /** Of whole batches in the file. */
  sizeBytes: number
  /** All written bytes survive a power failure. */
  isSynced: boolean
  /** False from the roll until its bytes, its size and the files beside it survive a power failure. */
  isSealed = true
  /** Somebody waits for its syncs; else the system writes it when it likes. */
  isSyncPromised = true
  /** Times of the last change of the file, for a segment without any timestamp. */
  readonly modifiedMs: number
  readonly #context: LogContext
  /** Until when (ms after the first batch) the segment may grow; `segment.ms` minus its jitter. */
  readonly #jitterMs: number
  #handle: FileHandle | null = null
  #indexes: SegmentIndexes | null
  #firstTimestampMs = -1
  #maxTimestampMs = -1
  #maxTimestampOffset: number
  #bytesSinceIndexEntry = 0
  #isTimeKnown: boolean
  #pinCount = 0
  #isRetired = false
  /** Behind the names of all its files, as long as they have not got the right ones. */
  #nameEnd: string
  #isRebuilt = false
  /** Length of the file while it has room that no batch uses yet; else 0. */
  #allocatedBytes = 0

  /** @param isNew the segment has no content and no files that matter */
  constructor(
    context: LogContext,
    directory: string,
    baseOffset: number,
    isNew: boolean,
    jitterMs = 0,
    nameEnd = '',
  ) {
    this.#context = context
    this.#nameEnd = nameEnd
    this.directory = directory
    this.baseOffset = baseOffset
    this.#maxTimestampOffset = baseOffset
    this.#jitterMs = jitterMs
    const stat = isNew ? undefined : context.fs.stat(this.pathOf(LOG_SUFFIX))
    this.sizeBytes = stat?.sizeBytes ?? 0
    this.modifiedMs = stat?.modifiedMs ?? context.clock.nowMs()
    this.#indexes = isNew ? emptyIndexes(baseOffset) : null
    this.#isTimeKnown = isNew
    this.isSynced = !isNew
  }

  pathOf(suffix: string): string {
    return `${this.directory}/${offsetFileName(this.baseOffset, suffix)}${this.#nameEnd}`
  }

  /** Its files have their right names now. It was pinned in the meantime. */
  named(): void {
    this.#nameEnd = ''
  }

  /** The open file; opened at first use. */
  get handle(): FileHandle {
    this.#handle ??= this.#context.fs.open(this.pathOf(LOG_SUFFIX), 'create')
    return this.#handle
  }

  get isRetired(): boolean {
    return this.#isRetired
  }

  get isPinned(): boolean {
    return this.#pinCount > 0
  }

  /** Keeps the file open until `unpin`. */
  pin(): void {
    this.#pinCount++
  }

  unpin(): void {
    this.#pinCount--
    if (this.#isRetired && this.#pinCount === 0) this.unload()
  }

  /** Closes the file for good, after the reads that are under way. */
  retire(): void {
    this.#isRetired = true
    this.#context.segments.forget(this)
    if (this.#pinCount === 0) this.unload()
  }

  get indexes(): SegmentIndexes {
    this.#indexes ??= loadIndexes(this.#context, this)
    return this.#indexes
  }

  /** Opens the file and reads the indexes, so that its names may change. */
  open(): void {
    this.#handle = this.handle
    this.#indexes = this.indexes
  }

  /** Largest timestamp (ms) of its batches, -1 without one. */
  get maxTimestampMs(): number {
    if (!this.#isTimeKnown) this.#learnTimes()
    return this.#maxTimestampMs
  }

  /** Last offset of the first batch that has `maxTimestampMs`. */
  get maxTimestampOffset(): number {
    if (!this.#isTimeKnown) this.#learnTimes()
    return this.#maxTimestampOffset
  }

  /** Of its first batch (ms), -1 without one; `segment.ms` and `max.compaction.lag.ms` count from it. */
  get firstTimestampMs(): number {
    if (this.#firstTimestampMs < 0 && this.sizeBytes > 0) {
      const buffer = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD)
      const scanner = new BatchScanner(this.handle, 0, this.sizeBytes, buffer, false)
      if (scanner.next()) this.#firstTimestampMs = maxTimestampOf(scanner.buffer, scanner.at)
    }
    return this.#firstTimestampMs
  }

  /** What retention by time looks at. */
  get retentionTimestampMs(): number {
    const timestampMs = this.maxTimestampMs
    return timestampMs >= 0 ? timestampMs : this.modifiedMs
  }

  /**
   * A batch does not belong here any more. `segment.ms` counts from the first batch's timestamp to
   * this one's, as in Kafka, so replayed old records make the same segments.
   */
  isFullFor(batchBytes: number, lastOffset: number, timestampMs: number, c: LogConfig): boolean {
    if (this.sizeBytes === 0) return lastOffset - this.baseOffset > MAX_RELATIVE
    return (
      this.sizeBytes + batchBytes > Math.min(c.segmentBytes, MAX_RELATIVE) ||
      (this.#firstTimestampMs >= 0 &&
        timestampMs - this.#firstTimestampMs > c.segmentMs - this.#jitterMs) ||
      (this.indexes.offsets.entryCount + 1) * OFFSET_ENTRY_BYTES > c.segmentIndexBytes ||
      (this.indexes.times.entryCount + 2) * TIME_ENTRY_BYTES > c.segmentIndexBytes ||
      lastOffset - this.baseOffset > MAX_RELATIVE
    )
  }

  /** `preallocate`, as Kafka does it: makes the empty file as long as it may get. */
  allocate(config: LogConfig): void {
    if (!config.isPreallocated) return
    this.#allocatedBytes = Math.min(config.segmentBytes, MAX_RELATIVE)
    this.handle.truncate(this.#allocatedBytes)
  }

  /**
   * Takes back the room that no batch used: readers of the file go by its length.
   * @returns false when there was none
   */
  trim(): boolean {
    if (this.#allocatedBytes <= this.sizeBytes) return false
    this.handle.truncate(this.sizeBytes)
    this.#allocatedBytes = 0
    return true
  }

  /** Takes note of a batch that was written at the end of the file. */
  appended(
    batchBytes: number,
    lastOffset: number,
    timestampMs: number,
    intervalBytes: number,
  ): void {
    if (this.sizeBytes === 0) this.#firstTimestampMs = timestampMs
    if (timestampMs > this.#maxTimestampMs) {
      this.#maxTimestampMs = timestampMs
      this.#maxTimestampOffset = lastOffset
    }
    if (this.#bytesSinceIndexEntry > intervalBytes) {
      this.indexes.offsets.append(lastOffset, this.sizeBytes)
      this.indexes.times.maybeAppend(this.#maxTimestampMs, this.#maxTimestampOffset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += batchBytes
    this.sizeBytes += batchBytes
    this.isSynced = false
  }

  /**
   * Rebuilds the indexes from the file, up to the first bytes that are no valid batch.
   * @param endOffset where the next segment begins
   * @param rewriter gets every batch that stays
   * @returns the scanner where it stopped, and the offset after the last batch
   */
  rebuild(
    intervalBytes: number,
    buffer: Buffer,
    endOffset = Number.MAX_SAFE_INTEGER,
    rewriter: TailRewriter | null = null,
  ): { scanner: BatchScanner; nextOffset: number } {
    const scanner = new BatchScanner(this.handle, 0, this.handle.sizeBytes(), buffer, true)
    this.#reset()
    this.#isRebuilt = true
    let nextOffset = this.baseOffset
    while (scanner.next()) {
      const lastOffset = lastOffsetOf(scanner.buffer, scanner.at)
      // The CRC does not cover the offset.
      if (
        baseOffsetOf(scanner.buffer, scanner.at) < nextOffset ||
        lastOffset - this.baseOffset > MAX_RELATIVE
      ) {
        scanner.problem = 'the offset of a batch is not after the one before'
        break
      }
      if (lastOffset >= endOffset) {
        scanner.problem = IN_NEXT_SEGMENT
        break
      }
      rewriter?.add(scanner.buffer, scanner.at, scanner.sizeBytes, scanner.position)
      const timestampMs = maxTimestampOf(scanner.buffer, scanner.at)
      this.appended(scanner.sizeBytes, lastOffset, timestampMs, intervalBytes)
      nextOffset = lastOffset + 1
    }
    rewriter?.flush()
    return { scanner, nextOffset }
  }

  /**
   * For the last segment after a clean stop: checks what is after the last index entry.
   * @returns the offset after the last batch, or -1 when the segment must be rebuilt
   */
  resume(): number {
    if (this.sizeBytes === 0) {
      this.#reset()
      return this.baseOffset
    }
    const { offsets } = this.indexes
    const buffer = Buffer.allocUnsafe(Math.min(SCAN_BUFFER_BYTES, this.sizeBytes))
    const first = new BatchScanner(this.handle, 0, this.sizeBytes, buffer, false)
    if (!first.next()) return -1
    this.#firstTimestampMs = maxTimestampOf(first.buffer, first.at)
    this.#learnTimes()
    const start = offsets.lastPosition
    const scanner = new BatchScanner(this.handle, start, this.sizeBytes, buffer, true)
    let nextOffset = this.baseOffset
    while (scanner.next()) {
      const lastOffset = lastOffsetOf(scanner.buffer, scanner.at)
      const isAfter = baseOffsetOf(scanner.buffer, scanner.at) >= nextOffset
      // The CRC does not cover the offset.
      if (!isAfter || lastOffset - this.baseOffset > MAX_RELATIVE) return -1
      nextOffset = lastOffset + 1
    }
    this.#bytesSinceIndexEntry = this.sizeBytes - start
    return scanner.problem === null ? nextOffset : -1
  }

  /** Writes the indexes as the file format has them. */
  writeIndexes(files: UnsyncedFiles): void {
    const { offsets, times, transactions } = this.indexes
    times.maybeAppend(this.#maxTimestampMs, this.#maxTimestampOffset)
    files.write(this.pathOf(OFFSET_INDEX_SUFFIX), offsets.bytes())
    files.write(this.pathOf(TIME_INDEX_SUFFIX), times.bytes())
    const transactionPath = this.pathOf(TRANSACTION_INDEX_SUFFIX)
    if (transactions.entryCount > 0) files.write(transactionPath, transactions.bytes())
    // One that recovery found is not about these batches.
    else if (this.#isRebuilt) this.#context.fs.remove(transactionPath)
  }

  get isOpen(): boolean {
    return this.#handle !== null
  }

  /**
   * Closes the file of a segment that grows; the next use opens it again. Not while bytes wait for
   * a sync: an error of the disk is told to those who have the file open.
   * @returns whether it could
   */
  closeFile(): boolean {
    const mustSync = this.isSyncPromised && !this.isSynced && this.sizeBytes > 0
    if (this.isPinned || mustSync) return false
    this.#handle?.close()
    this.#handle = null
    return true
  }

  /** Closes the file and forgets the indexes; the next use reads them again. */
  unload(): void {
    this.#handle?.close()
    this.#handle = null
    this.#indexes = null
  }

  #reset(): void {
    this.#indexes = emptyIndexes(this.baseOffset)
    this.sizeBytes = 0
    this.#firstTimestampMs = -1
    this.#maxTimestampMs = -1
    this.#maxTimestampOffset = this.baseOffset
    this.#bytesSinceIndexEntry = 0
    this.#isTimeKnown = true
  }

  #learnTimes(): void {
    // Retention asks every segment, so this does not keep the indexes in memory.
    const { times } = this.#indexes ?? loadIndexes(this.#context, this)
    this.#maxTimestampMs = times.lastTimestampMs
    this.#maxTimestampOffset = times.lastOffset
    this.#isTimeKnown = true
  }
}

function emptyIndexes(baseOffset: number): SegmentIndexes {
  return {
    offsets: new OffsetIndex(baseOffset),
    times: new TimeIndex(baseOffset),
    transactions: new TransactionIndex(),
  }
}
