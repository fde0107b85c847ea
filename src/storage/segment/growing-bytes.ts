const FIRST_CAPACITY_BYTES = 256

/** Fixed-size entries, one after the other, exactly as the file has them. */
export class GrowingBytes {
  #buffer: Buffer
  #byteLength: number

  constructor(content: Buffer) {
    this.#buffer = content
    this.#byteLength = content.byteLength
  }

  get byteLength(): number {
    return this.#byteLength
  }

  /** Memory that entries are read from and written to; `bytes()` is the part in use. */
  get buffer(): Buffer {
    return this.#buffer
  }

  /** A view: it changes with the next entry. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#byteLength)
  }

  /** Makes room for one more entry and returns its position; the caller writes all of it. */
  extend(entryBytes: number): number {
    const position = this.#byteLength
    if (position + entryBytes > this.#buffer.byteLength) {
      const larger = Buffer.allocUnsafe(
        Math.max(FIRST_CAPACITY_BYTES, entryBytes, this.#buffer.byteLength * 2),
      )
      this.#buffer.copy(larger, 0, 0, position)
      this.#buffer = larger
    }
    this.#byteLength = position + entryBytes
    return position
  }
}

/**
 * The part of an index file that holds entries: Kafka preallocates zeros, which stay behind when it
 * is killed.
 * @returns null when the file ends inside an entry
 */
export function withoutZeroTail(content: Buffer, entryBytes: number): Buffer | null {
  if (content.byteLength % entryBytes !== 0) return null
  let end = content.byteLength
  while (end > 0 && isZero(content, end - entryBytes, end)) end -= entryBytes
  // A copy, so that a few entries don't keep megabytes of zeros in memory.
  return end === content.byteLength ? content : Buffer.from(content.subarray(0, end))
}

function isZero(content: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (content[at] !== 0) return false
  return true
}
