import type { Scheduler, Timer } from '../ports/scheduler.ts'

/** Node runs a timer with a longer delay at once. */
const MAX_TIMER_MS = 0x7fffffff

/**
 * Timers of this event loop. They never keep the process alive: what must be served holds a socket,
 * and a stopping broker must not wait for retention checks.
 */
export class SystemScheduler implements Scheduler {
  after(delayMs: number, task: () => void): Timer {
    return new SystemTimer(delayMs, task)
  }

  endOfTurn(task: () => void): void {
    // Immediates run after all sockets that were ready in this turn.
    setImmediate(task)
  }
}

class SystemTimer implements Timer {
  #timeout: NodeJS.Timeout

  constructor(delayMs: number, task: () => void) {
    this.#timeout = this.#arm(delayMs, task)
  }

  cancel(): void {
    clearTimeout(this.#timeout)
  }

  #arm(delayMs: number, task: () => void): NodeJS.Timeout {
    if (delayMs <= MAX_TIMER_MS) return setTimeout(task, delayMs).unref()
    return setTimeout(() => {
      this.#timeout = this.#arm(delayMs - MAX_TIMER_MS, task)
    }, MAX_TIMER_MS).unref()
  }
}
