import type { Scheduler, Timer } from '../../../src/ports/scheduler.ts'
import type { FakeClock } from './ports.ts'

interface Task {
  readonly dueMs: number
  readonly run: () => void
}

/** Time passes when the test says so; tasks of one moment run in the order they were given. */
export class ManualScheduler implements Scheduler {
  readonly #clock: FakeClock
  readonly #tasks = new Set<Task>()
  #endOfTurn: (() => void)[] = []

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  /** Timers that were neither run nor cancelled. */
  get pendingCount(): number {
    return this.#tasks.size
  }

  after(delayMs: number, run: () => void): Timer {
    const task = { dueMs: this.#clock.timeMs + delayMs, run }
    this.#tasks.add(task)
    return { cancel: () => void this.#tasks.delete(task) }
  }

  endOfTurn(task: () => void): void {
    this.#endOfTurn.push(task)
  }

  /** Runs what waits for the end of the turn, and what that asks for. */
  finishTurn(): void {
    while (this.#endOfTurn.length > 0) for (const task of this.#endOfTurn.splice(0)) task()
  }

  /** Moves the clock on, stopping at each task that is due on the way. */
  advance(byMs: number): void {
    const endMs = this.#clock.timeMs + byMs
    for (;;) {
      const next = this.#earliest(endMs)
      if (next === undefined) break
      this.#tasks.delete(next)
      this.#clock.timeMs = next.dueMs
      next.run()
      this.finishTurn()
    }
    this.#clock.timeMs = endMs
  }

  #earliest(endMs: number): Task | undefined {
    let earliest: Task | undefined
    for (const task of this.#tasks) {
      if (task.dueMs <= endMs && task.dueMs < (earliest?.dueMs ?? Number.POSITIVE_INFINITY)) {
        earliest = task
      }
    }
    return earliest
  }
}
