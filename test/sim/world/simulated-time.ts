import type { Clock } from '../../../src/ports/clock.ts'
import type { Scheduler, Timer } from '../../../src/ports/scheduler.ts'

const FIRST_DAY_MS = 1_700_000_000_000

/** Time passes only when the simulation says so. */
export class SimulatedClock implements Clock {
  #elapsedMs = 0

  nowMs(): number {
    return FIRST_DAY_MS + Math.floor(this.#elapsedMs)
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  pass(byMs: number): void {
    this.#elapsedMs += byMs
  }

  passUntil(monotonicMs: number): void {
    this.#elapsedMs = Math.max(this.#elapsedMs, monotonicMs)
  }
}

interface Task {
  readonly dueMs: number
  readonly run: () => void
}

/** The timers of one process, and what it wants to do at the end of a turn. */
export class SimulatedScheduler implements Scheduler {
  readonly #clock: SimulatedClock
  /** The next one last. */
  readonly #tasks: Task[] = []
  #endOfTurn: (() => void)[] = []

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  /** When the next timer is due, undefined without one. */
  get nextMs(): number | undefined {
    return this.#tasks.at(-1)?.dueMs
  }

  after(delayMs: number, run: () => void): Timer {
    const task = { dueMs: this.#clock.monotonicMs() + Math.max(0, delayMs), run }
    let at = this.#tasks.length
    while (at > 0 && (this.#tasks[at - 1] as Task).dueMs <= task.dueMs) at--
    this.#tasks.splice(at, 0, task)
    return {
      cancel: () => {
        const index = this.#tasks.indexOf(task)
        if (index >= 0) this.#tasks.splice(index, 1)
      },
    }
  }

  endOfTurn(task: () => void): void {
    this.#endOfTurn.push(task)
  }

  /** Lets time pass until the next timer is due, and runs it. */
  runNext(): void {
    const task = this.#tasks.pop()
    if (task === undefined) return
    this.#clock.passUntil(task.dueMs)
    task.run()
  }

  get hasEndOfTurn(): boolean {
    return this.#endOfTurn.length > 0
  }

  /** One round of what waits for the end of the turn. */
  finishTurn(): void {
    const tasks = this.#endOfTurn
    this.#endOfTurn = []
    for (const task of tasks) task()
  }
}
