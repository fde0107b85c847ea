import type { Scheduler } from '../ports/scheduler.ts'
import type { Listener } from '../ports/transport.ts'

/** A session that can be asked to end. */
interface Drainable {
  /** Takes nothing new, sends what is due, and closes. */
  drain(): void
}

/** The sessions of one port. */
export class OpenSessions<S extends Drainable> {
  readonly #sessions = new Set<S>()
  #whenEmpty: (() => void) | null = null

  get size(): number {
    return this.#sessions.size
  }

  [Symbol.iterator](): Iterator<S> {
    return this.#sessions[Symbol.iterator]()
  }

  add(session: S): void {
    this.#sessions.add(session)
  }

  gone(session: S): void {
    this.#sessions.delete(session)
    if (this.#sessions.size === 0) this.#whenEmpty?.()
  }

  /** Takes no new connections and drains those there are. What is not done after `graceMs` is cut. */
  async close(listener: Listener, scheduler: Scheduler, graceMs: number): Promise<void> {
    const stopped = listener.stopAccepting()
    for (const session of this.#sessions) session.drain()
    await this.#allGone(scheduler, graceMs)
    await listener.close()
    await stopped
  }

  /**
   * Resolves when the last session is gone, or the time is up. It is told rather than looking again:
   * timers keep no process alive, and once the sockets are closed nothing else of it may.
   */
  #allGone(scheduler: Scheduler, graceMs: number): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = scheduler.after(graceMs, resolve)
      this.#whenEmpty = () => {
        timer.cancel()
        resolve()
      }
    })
  }
}
