import type { Clock } from '../../ports/clock.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'

interface Entry<Event> {
  deadlineMs: number
  event: Event
  timer: Timer
  firesAtMs: number
}

/**
 * Named timers. A heartbeat moves its timer every few seconds, so a later deadline costs one store:
 * the timer that is armed finds, when it fires, that it has to wait on.
 */
export class CoordinatorTimers<Event> {
  readonly #clock: Clock
  readonly #scheduler: Scheduler
  readonly #fired: (event: Event) => void
  readonly #entries = new Map<string, Entry<Event>>()

  constructor(clock: Clock, scheduler: Scheduler, fired: (event: Event) => void) {
    this.#clock = clock
    this.#scheduler = scheduler
    this.#fired = fired
  }

  get size(): number {
    return this.#entries.size
  }

  schedule(name: string, delayMs: number, event: Event): void {
    const deadlineMs = this.#clock.monotonicMs() + delayMs
    const entry = this.#entries.get(name)
    if (entry !== undefined && entry.firesAtMs <= deadlineMs) {
      entry.deadlineMs = deadlineMs
      entry.event = event
      return
    }
    entry?.timer.cancel()
    const timer = this.#arm(name, delayMs)
    this.#entries.set(name, { deadlineMs, event, timer, firesAtMs: deadlineMs })
  }

  cancel(name: string): void {
    this.#entries.get(name)?.timer.cancel()
    this.#entries.delete(name)
  }

  cancelAll(): void {
    for (const entry of this.#entries.values()) entry.timer.cancel()
    this.#entries.clear()
  }

  #arm(name: string, delayMs: number): Timer {
    return this.#scheduler.after(delayMs, () => this.#expired(name))
  }

  #expired(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    const restMs = entry.deadlineMs - this.#clock.monotonicMs()
    if (restMs > 0) {
      entry.firesAtMs = entry.deadlineMs
      entry.timer = this.#arm(name, restMs)
      return
    }
    this.#entries.delete(name)
    this.#fired(entry.event)
  }
}
