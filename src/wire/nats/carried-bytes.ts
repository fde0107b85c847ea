/** Most operations that are split fit in here. */
const MIN_BYTES = 512

/** As much stays with a connection once its operation is whole. */
const MAX_KEPT_BYTES = 4096

/** A length alone costs a peer nothing, so it gets little memory until content came with it. */
const FIRST_LARGE_BYTES = 64 * 1024

/** Below this a copy is cheaper than a read of its own. */
const MIN_DIRECT_BYTES = 32 * 1024

/** The part of an operation that came before the rest of it. Idle connections have no memory here. */
export class CarriedBytes {
  bytes: Buffer = NOTHING
  byteCount = 0

  /** @param neededBytes of the whole operation, or 0 while that is not known */
  append(from: Buffer, start: number, end: number, neededBytes: number): void {
    this.#reserve(this.byteCount + end - start, neededBytes)
    from.copy(this.bytes, this.byteCount, start, end)
    this.byteCount += end - start
  }

  directBuffer(neededBytes: number): Buffer | null {
    const have = this.byteCount
    if (have === 0 || neededBytes - have < MIN_DIRECT_BYTES) return null
    this.#reserve(Math.min(neededBytes, have + MIN_DIRECT_BYTES), neededBytes)
    return this.bytes.subarray(have, Math.min(neededBytes, this.bytes.byteLength))
  }

  /** The operation was handled. */
  clear(): void {
    this.byteCount = 0
    if (this.bytes.byteLength > MAX_KEPT_BYTES) this.bytes = NOTHING
  }

  drop(): void {
    this.byteCount = 0
    this.bytes = NOTHING
  }

  #reserve(byteCount: number, neededBytes: number): void {
    const size = this.bytes.byteLength
    if (byteCount <= size) return
    const grown = Math.max(byteCount, size * 2, MIN_BYTES)
    const credible = Math.max(grown, Math.min(neededBytes, FIRST_LARGE_BYTES))
    const bytes = Buffer.allocUnsafeSlow(
      neededBytes > byteCount ? Math.min(credible, neededBytes) : grown,
    )
    this.bytes.copy(bytes, 0, 0, this.byteCount)
    this.bytes = bytes
  }
}

const NOTHING = Buffer.alloc(0)
