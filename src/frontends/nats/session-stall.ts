import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { Connection } from '../../ports/transport.ts'
import type { Stallable } from './nats-hub.ts'

/** How long a publisher waits at most for a subscriber that is behind, for each read. */
const STALL_MS = 10

/** The publishers that wait for one client, and the client itself when it waits for another. */
export class SessionStall implements Stallable {
  readonly #connection: Connection
  readonly #scheduler: Scheduler
  #waiting: Stallable[] = []
  #timer: Timer | null = null
  #isOver = false

  constructor(connection: Connection, scheduler: Scheduler) {
    this.#connection = connection
    this.#scheduler = scheduler
  }

  /** `publisher` waits until `letGo`, or its patience ends. */
  letWait(publisher: Stallable): void {
    if (!this.#waiting.includes(publisher)) this.#waiting.push(publisher)
    publisher.stalled()
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  letGo(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const publisher of waiting) publisher.resumed()
  }

  stalled(): void {
    if (this.#timer !== null || this.#isOver) return
    this.#connection.pause()
    this.#timer = this.#scheduler.after(STALL_MS, () => this.resumed())
  }

  resumed(): void {
    if (this.#timer === null) return
    this.#timer.cancel()
    this.#timer = null
    if (!this.#isOver) this.#connection.resume()
  }

  /** The client is served no more. */
  end(): void {
    this.#isOver = true
    this.#timer?.cancel()
  }
}
