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
  /**
   * By the moment they are due, soonest first. Not a Map: as moments come and go it replaces its
   * table, and V8 lets each table keep the next alive, with all timers that ever stood in them.
   */
  readonly #moments: Moment[] = []

  after(delayMs: number, task: () => void): Timer {
    const nowMs = performance.now()
    const dueMs = dueMsOf(delayMs, nowMs)
    const index = this.#indexOf(dueMs)
    let moment = this.#moments[index]
    if (moment?.dueMs !== dueMs) {
      moment = { dueMs, timers: new Set() }
      this.#moments.splice(index, 0, moment)
      this.#arm(moment, Math.ceil(dueMs - nowMs))
    }
    const timer = new SystemTimer(moment.timers, task)
    moment.timers.add(timer)
    return timer
  }

  endOfTurn(task: () => void): void {
    // Immediates run after all sockets that were ready in this turn.
    setImmediate(task)
  }

  /** Index of the first moment that is not before `dueMs`. */
  #indexOf(dueMs: number): number {
    let low = 0
    let high = this.#moments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#moments[middle] as Moment).dueMs < dueMs) low = middle + 1
      else high = middle
    }
    return low
  }

  #arm(moment: Moment, leftMs: number): void {
    const stepMs = Math.min(leftMs, MAX_TIMER_MS)
    setTimeout(() => {
      if (stepMs < leftMs) {
        this.#arm(moment, leftMs - stepMs)
        return
      }
      this.#moments.splice(this.#indexOf(moment.dueMs), 1)
      this.#run(moment.timers)
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

interface Moment {
  /** Milliseconds since the process started. */
  readonly dueMs: number
  readonly timers: Set<SystemTimer>
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
