/** A task that has not run yet. */
export interface Timer {
  /** After this the task never runs. Cancelling twice, or after it ran, does nothing. */
  cancel(): void
}

/** Runs tasks later on the one event loop. A simulation decides the order. */
export interface Scheduler {
  /** Runs `task` once, `delayMs` milliseconds or a little more from now. */
  after(delayMs: number, task: () => void): Timer
  /**
   * Runs `task` once all input that is ready in this turn of the event loop was handled. Work of
   * many requests meets here: appends of one turn become one write.
   */
  endOfTurn(task: () => void): void
}
