import type { Scheduler, Timer } from '../ports/scheduler.ts'

/** Node runs a timer with a longer delay at once. */
const MAX_TIMER_MS = 0x7fffffff

/** A timer may be late by a sixteenth of its delay, so that many of them run in one turn, */
const LATE_SHIFT = 4

/** but never by more than this: sessions and locks end when Kafka's do. */
const MAX_TICK_MS = 16

/** Moments whose timers were all cancelled are looked for when there are so many more than were in use. */
const SPARE_MOMENTS = 64

/**
 * Timers of this event loop. They never keep the process alive: what must be served holds a socket,
 * and a stopping broker must not wait for retention checks.
 *
 * A timer runs at the next multiple of the largest power of two that is at most a sixteenth of its
 * delay, in milliseconds, and at most 16; never early. All timers of one such moment run in one
 * turn: hundreds of idle consumers wake the process some sixty times a second and not once for each
 * poll. There is one timer of Node, for the soonest moment that has timers left: those that were
 * cancelled, as nearly all of sessions are, wake nobody.
 */
export class SystemScheduler implements Scheduler {
  /**
   * By the moment they are due, soonest first. Not a Map: as moments come and go it replaces its
   * table, and V8 lets each table keep the next alive, with all timers that ever stood in them.
   */
  #moments: Moment[] = []
  /** Moments in use when it was last looked. */
  #usedCount = 0
  readonly #nowMs: () => number
  #timeout: NodeJS.Timeout | undefined
  /** When `#timeout` runs; while tasks run nothing is sooner, as the next is armed after them. */
  #armedMs = Number.POSITIVE_INFINITY

  /** @param nowMs monotonic milliseconds, from any origin. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  after(delayMs: number, task: () => void): Timer {
    const nowMs = this.#nowMs()
    const timers = this.#momentOf(dueMsOf(delayMs, nowMs), nowMs).timers
    const timer = new SystemTimer(timers, task)
    timers.add(timer)
    return timer
  }

  endOfTurn(task: () => void): void {
    // Immediates run after all sockets that were ready in this turn.
    setImmediate(task)
  }

  #momentOf(dueMs: number, nowMs: number): Moment {
    const index = this.#indexOf(dueMs)
    const known = this.#moments[index]
    if (known?.dueMs === dueMs) return known
    const moment = { dueMs, timers: new Set<SystemTimer>() }
    this.#moments.splice(index, 0, moment)
    if (this.#moments.length > 2 * this.#usedCount + SPARE_MOMENTS) this.#forgetCancelled(moment)
    if (dueMs < this.#armedMs) this.#arm(dueMs, nowMs)
    return moment
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

  #forgetCancelled(added: Moment): void {
    this.#moments = this.#moments.filter((each) => each.timers.size > 0 || each === added)
    this.#usedCount = this.#moments.length
  }

  #arm(dueMs: number, nowMs: number): void {
    clearTimeout(this.#timeout)
    this.#armedMs = dueMs
    // Node counts from the begin of its turn, so it would often be early and have to wait once more.
    const delayMs = Math.min(Math.ceil(dueMs - nowMs) + 1, MAX_TIMER_MS)
    this.#timeout = setTimeout(() => this.#wake(), delayMs).unref()
  }

  #wake(): void {
    // A moment that a task asks for now is later: it must not run in this turn for ever.
    this.#armedMs = Number.NEGATIVE_INFINITY
    const nowMs = this.#nowMs()
    let dueCount = 0
    while ((this.#moments[dueCount]?.dueMs ?? Number.POSITIVE_INFINITY) <= nowMs) dueCount++
    this.#run(this.#moments.splice(0, dueCount))
  }

  /** A task that throws ends the process in its own turn, and takes no other task with it. */
  #run(due: readonly Moment[]): void {
    for (const { timers } of due) {
      for (const timer of timers) {
        timers.delete(timer)
        try {
          timer.task()
        } catch (error) {
          setImmediate(() => this.#run(due))
          throw error
        }
      }
    }
    this.#armNext()
  }

  #armNext(): void {
    const next = this.#moments.findIndex(({ timers }) => timers.size > 0)
    this.#moments.splice(0, next === -1 ? this.#moments.length : next)
    const moment = this.#moments[0]
    this.#armedMs = Number.POSITIVE_INFINITY
    if (moment !== undefined) this.#arm(moment.dueMs, this.#nowMs())
  }
}

interface Moment {
  /** Milliseconds of the scheduler's clock. */
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
  const shareMs = 2 ** Math.max(0, Math.floor(Math.log2(delayMs)) - LATE_SHIFT)
  const tickMs = Math.min(shareMs, MAX_TICK_MS)
  return Math.ceil((nowMs + Math.max(0, delayMs)) / tickMs) * tickMs
}
