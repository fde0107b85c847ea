import { assert } from '../../base/assert.ts'

/** Sizes of pooled buffers; a larger batch gets a buffer of its own. */
const CLASS_BYTES = [16_384, 131_072, 1_048_576] as const
export const LARGEST_READ_BYTES = 1_048_576

/** Memory for one read; `release` gives it back, once. */
export interface ReadBuffer {
  readonly buffer: Buffer
  release(): void
}

/**
 * Buffers for reads of files, reused: fresh ones cost two thirds more CPU. A read that finds nothing
 * left is not queued (a fetch that holds buffers and waits for more could wait for ever): it must do
 * with a smaller buffer.
 */
export class ReadBuffers {
  readonly #maxBytes: number
  readonly #free: Buffer[][] = CLASS_BYTES.map(() => [])
  #usedBytes = 0
  #keptBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes that readers hold now. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Bytes ready for the next readers. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  /** A buffer of at least `byteCount` bytes, at most `LARGEST_READ_BYTES`; null: all are in use. */
  take(byteCount: number): ReadBuffer | null {
    const index = CLASS_BYTES.findIndex((bytes) => bytes >= byteCount)
    const size = CLASS_BYTES[index]
    assert(size !== undefined, 'a pooled read fits the largest class')
    if (this.#usedBytes + size > this.#maxBytes) return null
    return this.#lend(this.#pop(index, size), index)
  }

  /**
   * Memory of exactly so many bytes outside the pool's limit, for a batch that must be sent whole
   * although it is large or no buffer is left: one for each read in flight at most.
   */
  takeExact(byteCount: number): ReadBuffer {
    return this.#lend(Buffer.allocUnsafeSlow(byteCount), -1)
  }

  #pop(index: number, size: number): Buffer {
    const kept = this.#free[index]?.pop()
    if (kept === undefined) {
      // Kept buffers of other sizes must not push the sum over the limit.
      while (this.#usedBytes + this.#keptBytes + size > this.#maxBytes && this.#dropKept());
      return Buffer.allocUnsafeSlow(size)
    }
    this.#keptBytes -= size
    return kept
  }

  #dropKept(): boolean {
    for (const free of this.#free) {
      const dropped = free.pop()
      if (dropped === undefined) continue
      this.#keptBytes -= dropped.byteLength
      return true
    }
    return false
  }

  #lend(buffer: Buffer, index: number): ReadBuffer {
    this.#usedBytes += buffer.byteLength
    let isLent = true
    return {
      buffer,
      release: () => {
        assert(isLent, 'a read buffer is released once')
        isLent = false
        this.#usedBytes -= buffer.byteLength
        if (index < 0) return
        this.#keptBytes += buffer.byteLength
        this.#free[index]?.push(buffer)
      },
    }
  }
}
