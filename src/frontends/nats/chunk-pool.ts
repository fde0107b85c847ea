/** Most of what leaves in one turn fits in here. */
export const SMALL_CHUNK_BYTES = 2 * 1024
export const LARGE_CHUNK_BYTES = 64 * 1024

/** Memory for what is sent, used again once the kernel has it. */
export class ChunkPool {
  readonly #small: Buffer[] = []
  readonly #large: Buffer[] = []
  readonly #maxKeptBytes: number
  #keptBytes = 0

  /** @param maxKeptBytes unused chunks kept; above it the collector gets them */
  constructor(maxKeptBytes: number) {
    this.#maxKeptBytes = maxKeptBytes
  }

  /** A small chunk, or a large one if `byteCount` does not fit in it. */
  take(byteCount: number): Buffer {
    const isSmall = byteCount <= SMALL_CHUNK_BYTES
    const kept = (isSmall ? this.#small : this.#large).pop()
    if (kept === undefined) {
      return Buffer.allocUnsafeSlow(isSmall ? SMALL_CHUNK_BYTES : LARGE_CHUNK_BYTES)
    }
    this.#keptBytes -= kept.byteLength
    return kept
  }

  giveBack(chunk: Buffer): void {
    if (this.#keptBytes + chunk.byteLength > this.#maxKeptBytes) return
    this.#keptBytes += chunk.byteLength
    if (chunk.byteLength === SMALL_CHUNK_BYTES) this.#small.push(chunk)
    else this.#large.push(chunk)
  }
}
