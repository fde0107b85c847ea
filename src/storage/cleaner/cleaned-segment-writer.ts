import { StorageError } from '../../base/errors.ts'
import type { FileHandle, FileSystem } from '../../ports/file-system.ts'
import { lastOffsetOf, maxTimestampOf } from '../../records/record-batch.ts'
import {
  CLEANED_SUFFIX,
  INDEX_SUFFIXES,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from '../log-files.ts'
import { OffsetIndex } from '../segment/offset-index.ts'
import { TimeIndex } from '../segment/time-index.ts'
import { type AbortedTransactionEntry, TransactionIndex } from '../segment/transaction-index.ts'

/** Removes what a writer has written that is not put in place. */
export function discardCleaned(fs: FileSystem, directory: string, baseOffset: number): void {
  for (const suffix of [LOG_SUFFIX, ...INDEX_SUFFIXES])
    fs.remove(`${directory}/${offsetFileName(baseOffset, suffix)}${CLEANED_SUFFIX}`)
}

const WRITE_BUFFER_BYTES = 1_048_576
/** int32: positions in an index. */
const LARGEST_SEGMENT_BYTES = 0x7fff_ffff

/**
 * Writes a compacted segment and its indexes to files named `.cleaned`. They are safe on disk, with
 * their names, when `finish` returns. It blocks.
 */
export class CleanedSegmentWriter {
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #baseOffset: number
  readonly #indexIntervalBytes: number
  readonly #log: FileHandle
  readonly #offsets: OffsetIndex
  readonly #times: TimeIndex
  readonly #transactions = new TransactionIndex()
  readonly #buffer = Buffer.allocUnsafe(WRITE_BUFFER_BYTES)
  #isLogOpen = true
  #bufferedBytes = 0
  #sizeBytes = 0
  #bytesSinceIndexEntry = 0
  #maxTimestampMs = -1
  #maxTimestampOffset: number

  constructor(fs: FileSystem, directory: string, baseOffset: number, indexIntervalBytes: number) {
    this.#fs = fs
    this.#directory = directory
    this.#baseOffset = baseOffset
    this.#indexIntervalBytes = indexIntervalBytes
    this.#offsets = new OffsetIndex(baseOffset)
    this.#times = new TimeIndex(baseOffset)
    this.#maxTimestampOffset = baseOffset
    // A try before may have left some.
    discardCleaned(fs, directory, baseOffset)
    this.#log = this.#create(LOG_SUFFIX)
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Copies the batch, so it may be a view into memory that is used again. */
  append(batch: Buffer): void {
    if (this.#sizeBytes + batch.length > LARGEST_SEGMENT_BYTES)
      throw new StorageError(
        `${this.#log.path}: compaction makes the segment larger than 2 GiB, because delete horizons ` +
          'take more bytes: give the topic a smaller segment.bytes',
      )
    this.#index(lastOffsetOf(batch, 0), maxTimestampOf(batch, 0), batch.length)
    if (this.#bufferedBytes + batch.length > WRITE_BUFFER_BYTES) this.#flush()
    if (batch.length > WRITE_BUFFER_BYTES) this.#log.writeNow([batch], this.#sizeBytes)
    else this.#bufferedBytes += batch.copy(this.#buffer, this.#bufferedBytes)
    this.#sizeBytes += batch.length
  }

  /** An aborted transaction whose marker was appended. */
  appendAborted(entry: AbortedTransactionEntry): void {
    this.#transactions.append(entry)
  }

  finish(): void {
    this.#flush()
    this.#times.maybeAppend(this.#maxTimestampMs, this.#maxTimestampOffset)
    this.#log.dataSyncNow()
    this.#closeLog()
    this.#writeIndex(OFFSET_INDEX_SUFFIX, this.#offsets.bytes())
    this.#writeIndex(TIME_INDEX_SUFFIX, this.#times.bytes())
    if (this.#transactions.entryCount > 0)
      this.#writeIndex(TRANSACTION_INDEX_SUFFIX, this.#transactions.bytes())
    this.#fs.syncDirectory(this.#directory)
  }

  /** Gives up; what was written is removed. */
  abandon(): void {
    this.#closeLog()
    discardCleaned(this.#fs, this.#directory, this.#baseOffset)
  }

  /** As `LogSegment.appended`. */
  #index(lastOffset: number, timestampMs: number, batchBytes: number): void {
    if (timestampMs > this.#maxTimestampMs) {
      this.#maxTimestampMs = timestampMs
      this.#maxTimestampOffset = lastOffset
    }
    if (this.#bytesSinceIndexEntry > this.#indexIntervalBytes) {
      this.#offsets.append(lastOffset, this.#sizeBytes)
      this.#times.maybeAppend(this.#maxTimestampMs, this.#maxTimestampOffset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += batchBytes
  }

  #flush(): void {
    if (this.#bufferedBytes === 0) return
    const piece = this.#buffer.subarray(0, this.#bufferedBytes)
    this.#log.writeNow([piece], this.#sizeBytes - this.#bufferedBytes)
    this.#bufferedBytes = 0
  }

  #writeIndex(suffix: string, content: Buffer): void {
    const file = this.#create(suffix)
    try {
      file.writeNow([content], 0)
      file.dataSyncNow()
    } finally {
      file.close()
    }
  }

  #closeLog(): void {
    if (this.#isLogOpen) this.#log.close()
    this.#isLogOpen = false
  }

  #create(suffix: string): FileHandle {
    const name = offsetFileName(this.#baseOffset, suffix) + CLEANED_SUFFIX
    return this.#fs.open(`${this.#directory}/${name}`, 'create')
  }
}
