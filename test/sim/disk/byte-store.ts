/** Bytes that can be written anywhere, cut and grown: what was never written is zero. */
export class ByteStore {
  #bytes = Buffer.alloc(0)
  #sizeBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  write(piece: Buffer, position: number): void {
    if (piece.byteLength === 0) return
    const end = position + piece.byteLength
    if (end > this.#sizeBytes) this.resize(end)
    piece.copy(this.#bytes, position)
  }

  /** @returns bytes read: fewer only at the end */
  read(into: Buffer, intoOffset: number, byteCount: number, position: number): number {
    const end = Math.min(this.#sizeBytes, position + byteCount)
    return end <= position ? 0 : this.#bytes.copy(into, intoOffset, position, end)
  }

  resize(sizeBytes: number): void {
    if (sizeBytes > this.#bytes.byteLength) {
      const larger = Buffer.alloc(Math.max(256, sizeBytes, this.#bytes.byteLength * 2))
      this.#bytes.copy(larger, 0, 0, this.#sizeBytes)
      this.#bytes = larger
    } else if (sizeBytes > this.#sizeBytes) {
      this.#bytes.fill(0, this.#sizeBytes, sizeBytes)
    }
    this.#sizeBytes = sizeBytes
  }

  copyFrom(other: ByteStore): void {
    this.resize(0)
    this.write(other.#bytes.subarray(0, other.#sizeBytes), 0)
  }
}
