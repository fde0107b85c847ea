import type { Clock } from '../../ports/clock.ts'

/** So much of the time that passed unused may be made up for. */
const BURST_MS = 300

/** Keeps work at a rate: tells how long to wait after each step. Source: Throttler, Kafka 4.4. */
export class Throttle {
  readonly #clock: Clock
  /** When the bytes so far would have been done at the rate. */
  #dueMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @returns ms to wait before the next step; 0 to go on at once */
  delayMs(byteCount: number, maxBytesPerSecond: number): number {
    const nowMs = this.#clock.monotonicMs()
    const costMs = (byteCount / maxBytesPerSecond) * 1000
    this.#dueMs = Math.max(this.#dueMs, nowMs - BURST_MS) + costMs
    return Math.max(0, Math.floor(this.#dueMs - nowMs))
  }
}
