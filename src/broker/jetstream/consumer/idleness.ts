import { type ConsumerConfig, isPush, toMs } from './consumer-config.ts'

/**
 * How long a consumer has been unused: one with `inactive_threshold` goes after that time. Times are those
 * of the clock that never goes back.
 */
export class Idleness {
  readonly #config: () => ConsumerConfig
  #usedAtMs: number

  constructor(config: () => ConsumerConfig, nowMs: number) {
    this.#config = config
    this.#usedAtMs = nowMs
  }

  used(nowMs: number): void {
    this.#usedAtMs = nowMs
  }

  /**
   * When it goes, as things are; Infinity: never.
   * @param isInUse somebody is there to take messages
   */
  dueMs(isInUse: boolean, nowMs: number): number {
    const { inactive_threshold: threshold = 0 } = this.#config()
    if (threshold <= 0) return Number.POSITIVE_INFINITY
    return (isInUse ? nowMs : this.#usedAtMs) + toMs(threshold)
  }

  /** @param nextDueMs when the next message that somebody has is taken back */
  isOver(isInUse: boolean, nextDueMs: number, nowMs: number): boolean {
    if (isInUse) {
      this.#usedAtMs = nowMs
      return false
    }
    // Somebody may still work on what it was given.
    const isWorking = !isPush(this.#config()) && nextDueMs > nowMs
    if (isWorking && nextDueMs !== Number.POSITIVE_INFINITY) this.#usedAtMs = nowMs
    return nowMs >= this.dueMs(false, nowMs)
  }
}
