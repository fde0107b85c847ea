import { StorageError } from '../base/errors.ts'
import type { Logger } from '../ports/logger.ts'
import type { Scheduler, Timer } from '../ports/scheduler.ts'

/** Work on the data directory that nobody waits for: what fails is logged and tried again. */
export class BackgroundTasks {
  readonly #scheduler: Scheduler
  readonly #logger: Logger
  readonly #timers = new Set<Timer>()
  #isStopped = false

  constructor(scheduler: Scheduler, logger: Logger) {
    this.#scheduler = scheduler
    this.#logger = logger
  }

  repeat(firstMs: number, intervalMs: number, task: () => void): void {
    this.later(firstMs, () => {
      this.repeat(intervalMs, intervalMs, task)
      task()
    })
  }

  later(delayMs: number, task: () => void): void {
    const timer = this.#scheduler.after(delayMs, () => {
      this.#timers.delete(timer)
      this.attempt(task)
    })
    this.#timers.add(timer)
  }

  /** Now, unless everything was stopped. */
  attempt(task: () => void): void {
    if (this.#isStopped) return
    try {
      task()
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#logger.error('work on the data directory failed, it is tried again', {
        error: error.message,
      })
    }
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }
}
