/**
 * Runs asynchronous tasks one after the other: what a task checked before it awaits still holds
 * afterwards, as far as only tasks of this queue change it. Callers are bounded by their sessions.
 */
export class SerialTasks {
  #tail: Promise<unknown> = Promise.resolve()

  run<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(task)
    this.#tail = done.catch(() => undefined)
    return done
  }
}
