const BITS = 8
const MS_A_SECOND = 1000

/** When the next message may leave, for consumers that do not send as fast as they can. */
export class Pacer {
  #nextAtMs = 0
  #lastTimestampMs: number | null = null

  /**
   * A message was sent.
   * @param bitsPerSecond 0: any number
   */
  sent(byteCount: number, bitsPerSecond: number, timestampMs: number, nowMs: number): void {
    this.#lastTimestampMs = timestampMs
    if (bitsPerSecond <= 0) return
    const tookMs = (byteCount * BITS * MS_A_SECOND) / bitsPerSecond
    this.#nextAtMs = Math.max(this.#nextAtMs, nowMs) + tookMs
  }

  /** When the rate allows the next message. */
  get nextAtMs(): number {
    return this.#nextAtMs
  }

  /** How long after the one before a message was stored (replay policy `original`). */
  gapMs(timestampMs: number): number {
    return this.#lastTimestampMs === null ? 0 : Math.max(0, timestampMs - this.#lastTimestampMs)
  }
}
