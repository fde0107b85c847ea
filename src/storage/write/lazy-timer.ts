import type { Scheduler, Timer } from '../../ports/scheduler.ts'

/** Runs a task some time after it was first asked for; until then, asking again changes nothing. */
export class LazyTimer {
  readonly #scheduler: Scheduler
  readonly #task: () => void
  #timer: Timer | null = null

  constructor(scheduler: Scheduler, task: () => void) {
    this.#scheduler = scheduler
    this.#task = task
  }

  start(delayMs: number): void {
    this.#timer ??= this.#scheduler.after(delayMs, () => {
      this.#timer = null
      this.#task()
    })
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}
