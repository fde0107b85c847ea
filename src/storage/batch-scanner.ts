import type { FileHandle } from '../ports/file-system.ts'
import {
  isControl,
  isCrcValid,
  MAGIC_V2,
  magicOf,
  RECORD_BATCH_OVERHEAD,
  sizeInBytesOf,
} from '../records/record-batch.ts'

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
  #windowPosition = 0
  #windowBytes = 0

  /**
   * @param buffer memory to read into, at least the size of a header
   * @param checksCrc read every batch whole and stop at one whose CRC is wrong
   */
  constructor(
    handle: FileHandle,
    startPosition: number,
    endPosition: number,
    buffer: Buffer,
    checksCrc: boolean,
  ) {
    this.#handle = handle
    this.position = startPosition
    this.#endPosition = endPosition
    this.buffer = buffer
    this.#checksCrc = checksCrc
  }

  /** Goes to the next batch; false at the end and at bytes that are no batch, see `problem`. */
  next(): boolean {
    this.position += this.sizeBytes
    this.sizeBytes = 0
    const left = this.#endPosition - this.position
    if (left === 0 || this.problem !== null) return false
    if (left < RECORD_BATCH_OVERHEAD) return this.#stop('the header of a batch is cut')
    if (!this.#load(RECORD_BATCH_OVERHEAD)) return this.#stop('the file is shorter than it was')
    const size = sizeInBytesOf(this.buffer, this.at)
    if (size < RECORD_BATCH_OVERHEAD) return this.#stop('the length of a batch is too small')
    if (magicOf(this.buffer, this.at) !== MAGIC_V2) return this.#stop('a batch is not of format 2')
    if (size > left) return this.#stop('a batch is cut')
    if (this.#checksCrc || isControl(this.buffer, this.at)) {
      if (!this.#load(size)) return this.#stop('the file is shorter than it was')
      if (this.#checksCrc && !isCrcValid(this.buffer, this.at))
        return this.#stop('the CRC of a batch is wrong')
    }
    this.sizeBytes = size
    return true
  }

  #stop(problem: string): false {
    this.problem = problem
    return false
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
