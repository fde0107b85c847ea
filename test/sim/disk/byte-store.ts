/** Bytes that can be written anywhere, cut and grown: what was never written is zero. */
export class ByteStore {
  /** What was written; zeros behind it take no memory. */
  #bytes = Buffer.alloc(0)
  #storedBytes = 0
  #sizeBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  write(piece: Buffer, position: number): void {
    if (piece.byteLength === 0) return
    const end = position + piece.byteLength
    this.#store(end)
    piece.copy(this.#bytes, position)
    this.#sizeBytes = Math.max(this.#sizeBytes, end)
  }

  /** @returns bytes read: fewer only at the end */
  read(into: Buffer, intoOffset: number, byteCount: number, position: number): number {
    const end = Math.min(this.#sizeBytes, position + byteCount)
    if (end <= position) return 0
    const stored = Math.min(end, this.#storedBytes)
    const copied = stored <= position ? 0 : this.#bytes.copy(into, intoOffset, position, stored)
    into.fill(0, intoOffset + copied, intoOffset + end - position)
    return end - position
  }

  resize(sizeBytes: number): void {
    this.#storedBytes = Math.min(this.#storedBytes, sizeBytes)
    this.#sizeBytes = sizeBytes
  }

  copyFrom(other: ByteStore): void {
    this.resize(0)
    this.write(other.#bytes.subarray(0, other.#storedBytes), 0)
    this.resize(other.#sizeBytes)
  }

  #store(end: number): void {
    if (end <= this.#storedBytes) return
    if (end > this.#bytes.byteLength) {
      const larger = Buffer.allocUnsafe(Math.max(256, end, this.#bytes.byteLength * 2))
      this.#bytes.copy(larger, 0, 0, this.#storedBytes)
      this.#bytes = larger
    }
    this.#bytes.fill(0, this.#storedBytes, end)
    this.#storedBytes = end
  }
}
