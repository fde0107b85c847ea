import type { Scheduler, Timer } from '../ports/scheduler.ts'

/** Node runs a timer with a longer delay at once. */
const MAX_TIMER_MS = 0x7fffffff

/** A timer may be late by a sixteenth of its delay, so that many of them run in one turn. */
const LATE_SHIFT = 4

/**
 * Timers of this event loop. They never keep the process alive: what must be served holds a socket,
 * and a stopping broker must not wait for retention checks.
 *
 * A timer runs at the next multiple of the largest power of two that is at most a sixteenth of its
 * delay, in milliseconds (500 ms: a multiple of 16), never early. All timers of one such moment
 * share a timer of Node: hundreds of idle consumers wake the process some sixty times a second and
 * not once for each poll.
 */
export class SystemScheduler implements Scheduler {
  /** By the moment they are due, in milliseconds since the process started. */
  readonly #moments = new Map<number, Set<SystemTimer>>()

  after(delayMs: number, task: () => void): Timer {
    const nowMs = performance.now()
    const dueMs = dueMsOf(delayMs, nowMs)
    let timers = this.#moments.get(dueMs)
    if (timers === undefined) {
      timers = new Set()
      this.#moments.set(dueMs, timers)
      this.#arm(dueMs, Math.ceil(dueMs - nowMs), timers)
    }
    const timer = new SystemTimer(timers, task)
    timers.add(timer)
    return timer
  }

  endOfTurn(task: () => void): void {
    // Immediates run after all sockets that were ready in this turn.
    setImmediate(task)
  }

  #arm(dueMs: number, leftMs: number, timers: Set<SystemTimer>): void {
    const stepMs = Math.min(leftMs, MAX_TIMER_MS)
    setTimeout(() => {
      if (stepMs < leftMs) {
        this.#arm(dueMs, leftMs - stepMs, timers)
        return
      }
      this.#moments.delete(dueMs)
      this.#run(timers)
    }, stepMs).unref()
  }

  /** A task that throws ends the process in its own turn, and takes no other task with it. */
  #run(timers: Set<SystemTimer>): void {
    for (const timer of timers) {
      timers.delete(timer)
      try {
        timer.task()
      } catch (error) {
        setImmediate(() => this.#run(timers))
        throw error
      }
    }
  }
}

class SystemTimer implements Timer {
  readonly task: () => void
  readonly #timers: Set<SystemTimer>

  constructor(timers: Set<SystemTimer>, task: () => void) {
    this.#timers = timers
    this.task = task
  }

  cancel(): void {
    this.#timers.delete(this)
  }
}

/** The first common moment at or after the end of a delay that begins now. */
export function dueMsOf(delayMs: number, nowMs: number): number {
  const tickMs = 2 ** Math.max(0, Math.floor(Math.log2(delayMs)) - LATE_SHIFT)
  return Math.ceil((nowMs + Math.max(0, delayMs)) / tickMs) * tickMs
}
