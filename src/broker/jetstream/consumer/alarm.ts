import type { Clock } from '../../../ports/clock.ts'
import type { Scheduler, Timer } from '../../../ports/scheduler.ts'

/** Nothing is looked at more often than this, so that what is due together is done together. */
const MIN_DELAY_MS = 1
/** A client may name a time in a thousand years: it is looked at again now and then. */
const MAX_DELAY_MS = 3_600_000

/** One timer for all that a consumer waits for; what comes first counts. */
export class Alarm {
  readonly #clock: Clock
  readonly #scheduler: Scheduler
  readonly #rang: () => void
  #timer: Timer | null = null
  #atMs = Number.POSITIVE_INFINITY

  constructor(clock: Clock, scheduler: Scheduler, rang: () => void) {
    this.#clock = clock
    this.#scheduler = scheduler
    this.#rang = rang
  }

  /** Rings at `atMs` of the clock that never goes back, or earlier if it was set so. */
  setFor(atMs: number): void {
    if (atMs >= this.#atMs) return
    this.#timer?.cancel()
    this.#atMs = atMs
    const leftMs = atMs - this.#clock.monotonicMs()
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(MIN_DELAY_MS, leftMs))
    this.#timer = this.#scheduler.after(delayMs, () => {
      this.#atMs = Number.POSITIVE_INFINITY
      this.#timer = null
      this.#rang()
    })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#atMs = Number.POSITIVE_INFINITY
  }
}
