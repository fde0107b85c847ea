import { type Copy, MessageMemory } from './message-memory.ts'

/** Most of what leaves in one turn fits in here. */
export const SMALL_CHUNK_BYTES = 2 * 1024
/** What a read brings leaves in one write, though MSG, subject and sid are longer than what they replace. */
export const LARGE_CHUNK_BYTES = 128 * 1024

/** Chunks of each kind that the memory has room for. */
const SMALL_COUNT = 2048
const LARGE_COUNT = 480

/** A piece of memory that is written to, and then sent. */
export interface Chunk {
  readonly bytes: Buffer
  readonly start: number
  readonly byteCount: number
}

/**
 * Memory for what is read and what is sent, used again once the kernel has it. When all of it is on its
 * way, chunks are made that the collector gets.
 */
export class ChunkPool {
  /** Where reads go to. */
  readonly scratch: Buffer
  /** All the memory, where the scratch is at the beginning. */
  readonly bytes: Buffer
  /** Copies from one position of `bytes` to another. */
  readonly copy: Copy
  readonly #small: Chunk[] = []
  readonly #large: Chunk[] = []

  constructor(scratchBytes: number) {
    const smallStart = scratchBytes
    const largeStart = smallStart + SMALL_COUNT * SMALL_CHUNK_BYTES
    const memory = new MessageMemory(largeStart + LARGE_COUNT * LARGE_CHUNK_BYTES)
    this.bytes = memory.bytes
    this.copy = memory.copy
    this.scratch = memory.bytes.subarray(0, scratchBytes)
    // The last chunk is taken first: those in front cost nothing until they are needed.
    this.#fill(this.#small, smallStart, SMALL_COUNT, SMALL_CHUNK_BYTES)
    this.#fill(this.#large, largeStart, LARGE_COUNT, LARGE_CHUNK_BYTES)
  }

  /** A small chunk, or a large one if `byteCount` does not fit in it. */
  take(byteCount: number): Chunk {
    const isSmall = byteCount <= SMALL_CHUNK_BYTES
    const kept = (isSmall ? this.#small : this.#large).pop()
    if (kept !== undefined) return kept
    const size = isSmall ? SMALL_CHUNK_BYTES : LARGE_CHUNK_BYTES
    return { bytes: Buffer.allocUnsafeSlow(size), start: 0, byteCount: size }
  }

  giveBack(chunk: Chunk): void {
    if (chunk.bytes !== this.bytes) return
    if (chunk.byteCount === SMALL_CHUNK_BYTES) this.#small.push(chunk)
    else this.#large.push(chunk)
  }

  #fill(chunks: Chunk[], start: number, count: number, byteCount: number): void {
    for (let i = 0; i < count; i++) {
      chunks.push({ bytes: this.bytes, start: start + i * byteCount, byteCount })
    }
  }
}
