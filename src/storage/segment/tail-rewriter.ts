import type { FileHandle } from '../../ports/file-system.ts'

/** Before a sync that fails ends a log, about so much may be written behind the last good one. */
const UNSAFE_BYTES = 64 * 1024 * 1024
const CHUNK_BYTES = 1_048_576

/**
 * Writes the valid end of a log over itself. After a sync that failed the kernel takes the pages for
 * written and goes on showing them: a restart without a power failure would find records that are on
 * no disk, and its own sync, which succeeds, would not write them.
 * Source: "fsyncgate", PostgreSQL 2018; Rebello et al., Can Applications Recover from fsync Failures?
 */
export class TailRewriter {
  readonly #handle: FileHandle
  readonly #from: number
  readonly #chunk: Buffer
  #chunkPosition = 0
  #chunkBytes = 0

  /** @param bytesBehind of the log, behind this file */
  constructor(handle: FileHandle, bytesBehind: number) {
    this.#handle = handle
    const sizeBytes = handle.sizeBytes()
    this.#from = Math.max(0, sizeBytes - Math.max(0, UNSAFE_BYTES - bytesBehind))
    this.#chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes - this.#from))
  }

  /** Takes a batch that was found valid; they come in the order of the file. */
  add(buffer: Buffer, at: number, byteCount: number, position: number): void {
    if (position < this.#from) return
    if (this.#chunkBytes + byteCount > this.#chunk.byteLength) this.flush()
    if (this.#chunkBytes === 0) this.#chunkPosition = position
    if (byteCount > this.#chunk.byteLength) {
      this.#handle.writeNow([buffer.subarray(at, at + byteCount)], position)
      return
    }
    buffer.copy(this.#chunk, this.#chunkBytes, at, at + byteCount)
    this.#chunkBytes += byteCount
  }

  flush(): void {
    if (this.#chunkBytes === 0) return
    this.#handle.writeNow([this.#chunk.subarray(0, this.#chunkBytes)], this.#chunkPosition)
    this.#chunkBytes = 0
  }
}
