import type { FileHandle } from '../../ports/file-system.ts'
import {
  baseOffsetOf,
  isControl,
  isCrcValid,
  lastOffsetOf,
  MAGIC_V2,
  magicOf,
  partitionLeaderEpochOf,
  RECORD_BATCH_OVERHEAD,
  sizeInBytesOf,
} from '../../records/record-batch.ts'

/** A disk or its cable flips a bit now and then: what is wrong must be so each time it is read. */
const MAX_READS = 3
const WRONG_CRC = 'the CRC of a batch is wrong'

/**
 * Walks the batches of a log file without trusting them. It blocks: for start-up, recovery, and the
 * few kilobytes between two index entries. After `next()` returned true, the batch is at `at` in
 * `buffer`: its header, and the whole of it when that was asked or it is a control batch.
 */
export class BatchScanner {
  /** Where in the file the batch begins; after the end, where the valid bytes end. */
  position: number
  sizeBytes = 0
  buffer: Buffer
  at = 0
  /** Why the walk stopped before the end; null while all is well. */
  problem: string | null = null
  readonly #handle: FileHandle
  readonly #endPosition: number
  readonly #checksCrc: boolean
  readonly #toleratesCrc: boolean
  readonly #confirmation = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD)
  #windowPosition = 0
  #windowBytes = 0
  /** What the next batch has unless there is a reason; -1: unknown. */
  #expectedOffset = -1
  #expectedEpoch = -1

  /**
   * @param buffer memory to read into, at least the size of a header
   * @param checksCrc read every batch whole and stop at one whose CRC is wrong, or which is wrong in
   *   another way, however often it is read
   * @param toleratesCrc go on behind a batch whose CRC stays wrong, by its header
   */
  constructor(
    handle: FileHandle,
    startPosition: number,
    endPosition: number,
    buffer: Buffer,
    checksCrc: boolean,
    toleratesCrc = false,
  ) {
    this.#handle = handle
    this.position = startPosition
    this.#endPosition = endPosition
    this.buffer = buffer
    this.#checksCrc = checksCrc
    this.#toleratesCrc = toleratesCrc
  }

  /** Goes to the next batch; false at the end and at bytes that are no batch, see `problem`. */
  next(): boolean {
    this.position += this.sizeBytes
    this.sizeBytes = 0
    if (this.#endPosition === this.position || this.problem !== null) return false
    for (let reads = 1; ; reads++) {
      const problem = this.#problemHere()
      if (problem === null && (!this.#checksCrc || this.#isConfirmed())) return true
      if (problem !== null && (!this.#checksCrc || reads === MAX_READS)) {
        if (problem === WRONG_CRC && this.#toleratesCrc) return true
        this.sizeBytes = 0
        this.problem = problem
        return false
      }
      this.#windowBytes = 0
    }
  }

  /** @returns why there is no batch; null: there is one, of `sizeBytes` */
  #problemHere(): string | null {
    const left = this.#endPosition - this.position
    if (left < RECORD_BATCH_OVERHEAD) return 'the header of a batch is cut'
    if (!this.#load(RECORD_BATCH_OVERHEAD)) return 'the file is shorter than it was'
    const size = sizeInBytesOf(this.buffer, this.at)
    if (size < RECORD_BATCH_OVERHEAD) return 'the length of a batch is too small'
    if (magicOf(this.buffer, this.at) !== MAGIC_V2) return 'a batch is not of format 2'
    if (size > left) return 'a batch is cut'
    if (this.#checksCrc || isControl(this.buffer, this.at)) {
      if (!this.#load(size)) return 'the file is shorter than it was'
      this.sizeBytes = size
      if (this.#checksCrc && !isCrcValid(this.buffer, this.at)) return WRONG_CRC
    }
    this.sizeBytes = size
    return null
  }

  /**
   * The CRC does not cover the base offset and the leader epoch: where they are not what follows
   * from the batch before, the file is asked again.
   */
  #isConfirmed(): boolean {
    const { buffer, at } = this
    const epoch = partitionLeaderEpochOf(buffer, at)
    const isExpected =
      baseOffsetOf(buffer, at) === this.#expectedOffset && epoch === this.#expectedEpoch
    if (!isExpected && !this.#isReadTwice()) return false
    this.#expectedOffset = lastOffsetOf(buffer, at) + 1
    this.#expectedEpoch = epoch
    return true
  }

  #isReadTwice(): boolean {
    const again = this.#confirmation
    const count = this.#handle.readNow(again, 0, again.byteLength, this.position)
    const end = this.at + again.byteLength
    return count === again.byteLength && again.compare(this.buffer, this.at, end) === 0
  }

  /** Makes `byteCount` bytes from `position` on be in the buffer. */
  #load(byteCount: number): boolean {
    this.at = this.position - this.#windowPosition
    if (this.at >= 0 && this.at + byteCount <= this.#windowBytes) return true
    if (byteCount > this.buffer.byteLength) this.buffer = Buffer.allocUnsafe(byteCount)
    this.#windowPosition = this.position
    const wanted = Math.min(this.buffer.byteLength, this.#endPosition - this.position)
    this.#windowBytes = this.#handle.readNow(this.buffer, 0, wanted, this.position)
    this.at = 0
    return byteCount <= this.#windowBytes
  }
}
