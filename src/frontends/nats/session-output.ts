import type { Connection } from '../../ports/transport.ts'
import type { Flushable, Stallable } from './nats-hub.ts'
import type { NatsServices } from './nats-services.ts'
import { Outbox, type OutboxOwner } from './outbox.ts'
import { SessionStall } from './session-stall.ts'

/** What one client is sent, and who waits when it does not take it. */
export class SessionOutput implements OutboxOwner, Flushable, Stallable {
  readonly outbox: Outbox
  readonly #services: NatsServices
  readonly #stall: SessionStall
  readonly #tooSlow: () => void
  #isEnding = false
  #isClosed = false

  /** @param tooSlow more waits for the client than may */
  constructor(connection: Connection, services: NatsServices, tooSlow: () => void) {
    this.#services = services
    this.outbox = new Outbox(connection, services.hub.chunks, this)
    this.#stall = new SessionStall(connection, services.scheduler)
    this.#tooSlow = tooSlow
  }

  get isBehind(): boolean {
    return this.outbox.pendingBytes > this.#services.limits.stallBytes
  }

  becameDirty(): void {
    this.#services.hub.dirty(this)
  }

  flushAll(): boolean {
    if (this.#isClosed) return false
    this.outbox.flush()
    if (this.#isEnding) return false
    if (this.outbox.pendingBytes > this.#services.limits.maxPendingBytes) {
      this.#tooSlow()
      return false
    }
    return this.isBehind
  }

  letWait(publisher: Stallable): void {
    this.#stall.letWait(publisher)
  }

  /** The kernel took something: who waits for this client may go on once little is left. */
  drained(): void {
    if (!this.#stall.hasWaiting) return
    const { stallBytes } = this.#services.limits
    if (!this.#isClosed && this.outbox.pendingBytes > stallBytes / 2) return
    this.#stall.letGo()
  }

  stalled(): void {
    this.#stall.stalled()
  }

  resumed(): void {
    this.#stall.resumed()
  }

  /** The client is served no more. */
  end(): void {
    this.#isEnding = true
    this.#stall.end()
  }

  /** The connection is gone. */
  close(): void {
    this.#isClosed = true
    this.outbox.discard()
    this.#stall.letGo()
  }
}
