import type { StreamSession } from '../../ports/transport.ts'
import {
  type ConnectOptions,
  INITIAL_OPTIONS,
  parseConnect,
} from '../../wire/nats/connect-options.ts'
import { ErrorText } from '../../wire/nats/error-text.ts'
import type { OperationSink } from '../../wire/nats/operation-sink.ts'
import { NatsParser } from '../../wire/nats/parser.ts'
import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import type { ServerInfo } from '../../wire/nats/server-text.ts'
import { errorLine, infoLine, OK, PING, PONG } from '../../wire/nats/server-text.ts'
import type { Identity } from './auth/identity.ts'
import { type MessageCounts, noMessages } from './message-counts.ts'
import { writeDelivery } from './message-writer.ts'
import type { NatsServices } from './nats-services.ts'
import type { Outbox } from './outbox.ts'
import { refusalOfConnect, SessionIdentity } from './session-identity.ts'
import { SessionLiveness } from './session-liveness.ts'
import type { SessionOrigin } from './session-origin.ts'
import { SessionOutput } from './session-output.ts'
import { SessionPublishing } from './session-publishing.ts'
import { SessionRights } from './session-rights.ts'
import { SessionSubscriptions } from './session-subscriptions.ts'
import type { SharedTail, Subscriber, Subscription } from './subscription.ts'
import { type MessageTrace, NotDelivered, type TracedClient } from './tracing/message-trace.ts'

/** Told of a session. */
export interface SessionHooks {
  /** Its client said who it is. */
  connected(session: NatsSession): void
  gone(session: NatsSession): void
}

/** One NATS client, without any I/O of its own: bytes in, bytes out. */
export class NatsSession implements StreamSession, OperationSink, Subscriber {
  readonly origin: SessionOrigin
  readonly startedAtMs: number
  readonly counts: MessageCounts = noMessages()
  readonly liveness: SessionLiveness
  readonly #services: NatsServices
  readonly #hooks: SessionHooks
  readonly #parser: NatsParser
  readonly #output: SessionOutput
  readonly #outbox: Outbox
  readonly #identity: SessionIdentity
  readonly #rights: SessionRights
  readonly subscriptions: SessionSubscriptions
  readonly #publishing: SessionPublishing
  #info: ServerInfo
  #options = INITIAL_OPTIONS
  #isConnected = false
  #isEnding = false
  #isClosed = false
  #isReadingDirectly = false
  #hasAnsweredPing = false
  lastActiveMs: number
  /** Why it was closed; empty while it is open, or when the client left. */
  closeReason = ''

  constructor(origin: SessionOrigin, services: NatsServices, hooks: SessionHooks) {
    const { connection, info } = origin
    const { clock, limits, hub, authenticator } = services
    this.origin = origin
    this.#services = services
    this.#info = info
    this.#hooks = hooks
    this.startedAtMs = clock.nowMs()
    this.lastActiveMs = this.startedAtMs
    this.liveness = new SessionLiveness(limits)
    this.#parser = new NatsParser(this, limits)
    this.#output = new SessionOutput(connection, services, () =>
      this.#tooSlow('Slow Consumer (Pending Bytes)'),
    )
    this.#outbox = this.#output.outbox
    this.#rights = new SessionRights(clock)
    this.#identity = new SessionIdentity(services, origin, (text, reason) => {
      this.#fail(text, reason)
      hub.flush(null)
    })
    this.subscriptions = new SessionSubscriptions(authenticator.globalAccount, this.#rights)
    const { subscriptions } = this
    this.#publishing = new SessionPublishing(this, {
      ...{ services, outbox: this.#outbox, rights: this.#rights, subscriptions },
    })
  }

  /** Says hello. */
  start(): void {
    if (this.#isClosed) return
    this.#identity.expect()
    this.#become(this.#identity.current)
    this.#outbox.append(infoLine(this.#info))
    this.#services.hub.flush(null)
  }

  get options(): ConnectOptions {
    return this.#options
  }

  get isEnding(): boolean {
    return this.#isEnding
  }

  get identity(): Identity | null {
    return this.#identity.current
  }

  get pendingBytes(): number {
    return this.#outbox.pendingBytes
  }

  nextBuffer(): Buffer {
    const direct = this.#isEnding ? null : this.#parser.directBuffer()
    this.#isReadingDirectly = direct !== null
    return direct ?? this.#services.hub.chunks.scratch
  }

  received(byteCount: number): void {
    if (this.#isEnding) return
    const { hub } = this.#services
    this.liveness.heard()
    this.lastActiveMs = this.#services.clock.nowMs()
    if (this.origin.requiresTls && !this.origin.connection.encryption) {
      this.refuse(ErrorText.SECURE_CONNECTION_REQUIRED, 'it did not use TLS')
    } else if (this.#isReadingDirectly) this.#parser.receivedDirectly(byteCount)
    else this.#parser.received(hub.chunks.bytes, 0, byteCount)
    hub.flush(this.#output)
  }

  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopServing()
    this.#output.close()
    this.#hooks.gone(this)
    this.#identity.leave()
  }

  /** The server has as many clients as it may. */
  refuseConnection(): void {
    this.#fail(ErrorText.MAX_CONNECTIONS, 'too many connections')
    this.#services.hub.flush(null)
  }

  /** There may be fewer clients now. */
  dismiss(text: string): void {
    this.#fail(text, 'fewer connections are allowed')
  }

  /** The broker stops: tells the client, sends what there is, and closes. */
  drain(): void {
    if (this.#isEnding) return
    this.tell({ ldm: true })
    this.#end()
  }

  /** What INFO says has changed. */
  tell(changes: Partial<ServerInfo>): void {
    this.#info = { ...this.#info, ...changes }
    if (!this.#isEnding && this.#options.protocol > 0) this.#outbox.append(infoLine(this.#info))
  }

  /** Time passed: asks a silent client whether it is there, and gives up one that takes nothing. */
  passed(byMs: number): void {
    if (this.#isEnding) return
    const { pendingBytes, sentCount } = this.#outbox
    const overdue = this.liveness.passed(byMs, pendingBytes, sentCount)
    if (overdue === 'slow') this.#tooSlow('Slow Consumer (Write Deadline)')
    else if (overdue === 'stale') this.#fail(ErrorText.STALE_CONNECTION, 'Stale Connection')
    else if (overdue === 'ping') {
      this.liveness.pinged(this.#services.clock.monotonicMs())
      this.#outbox.append(PING)
    }
  }

  publish(message: PublishedMessage): void {
    if (this.#isKnown()) this.#publishing.publish(message)
  }

  subscribe(subject: string, queue: string, sid: string): void {
    if (!this.#isKnown()) return
    const own = this.identity?.maxSubscriptions ?? -1
    const maxCount = own >= 0 ? own : this.#services.limits.maxSubscriptions
    const refusal = this.subscriptions.subscribe(this, subject, queue, sid, maxCount)
    if (refusal !== null) this.#outbox.append(errorLine(refusal))
    else if (this.#options.verbose) this.#outbox.append(OK)
  }

  unsubscribe(sid: string, maxCount: number): void {
    if (!this.#isKnown()) return
    this.subscriptions.unsubscribe(sid, maxCount)
    if (this.#options.verbose) this.#outbox.append(OK)
  }

  connect(json: string): void {
    const given = parseConnect(json, this.#options)
    if (given === null) {
      this.refuse(null, 'a CONNECT that can not be read')
      return
    }
    const options = { ...given, headers: given.headers && this.#info.headers }
    this.#options = options
    // It may be somebody else now, so what was subscribed before is gone.
    if (this.#isConnected) this.subscriptions.removeAll()
    this.#isConnected = true
    this.#parser.allowsHeaders = options.headers
    const refusal = refusalOfConnect(options)
    if (refusal === null) this.#authenticate()
    else this.#fail(refusal.text, refusal.reason)
  }

  ping(): void {
    if (!this.#isKnown()) return
    this.#outbox.append(PONG)
    if (!this.#isConnected || this.#hasAnsweredPing) return
    this.#hasAnsweredPing = true
    if (this.#options.protocol === 0) return
    const { account } = this.subscriptions
    const system = account.isSystem ? { acc_is_sys: true } : {}
    const more = { connect_info: true, remote_account: account.name, ...system }
    this.#outbox.append(infoLine({ ...this.#info, ...more }))
  }

  pong(): void {
    this.liveness.answered(this.#services.clock.monotonicMs())
  }

  refuse(text: string | null, reason: string): void {
    this.#services.protocolErrorCount.add()
    this.#fail(text, reason)
  }

  deliver(
    subscription: Subscription,
    message: PublishedMessage,
    publisher: Subscriber,
    shared: SharedTail,
  ): boolean {
    if (this.#isEnding || subscription.isEnded) return false
    if (publisher === this && !this.#options.echo) return false
    if (subscription.isFiltered && !this.#rights.mayReceive(message)) return false
    if (this.#rights.notesRequests && message.hasReply) this.#rights.noteRequest(message)
    subscription.deliveredCount++
    this.counts.sentMessages++
    this.counts.sentBytes += message.bodyEnd - message.bodyStart
    writeDelivery(this.#outbox, message, subscription.sidBytes, this.#options.headers, shared)
    if (subscription.deliveredCount === subscription.maxCount) {
      this.subscriptions.remove(subscription)
    }
    return true
  }

  deliverTraced(
    subscription: Subscription,
    message: PublishedMessage,
    publisher: Subscriber,
    shared: SharedTail,
    trace: MessageTrace,
  ): boolean {
    const error = this.#whyNotDelivered(subscription, message, publisher)
    trace.delivered(this.tracedClient, subscription.subject, subscription.queue, error)
    if (error !== '') return false
    return trace.isOnly || this.deliver(subscription, message, publisher, shared)
  }

  /** Empty: it is. */
  #whyNotDelivered(
    subscription: Subscription,
    message: PublishedMessage,
    publisher: Subscriber,
  ): string {
    if (publisher === this && !this.#options.echo) return NotDelivered.noEcho
    const isDenied = subscription.isFiltered && !this.#rights.mayReceive(message)
    if (isDenied) return NotDelivered.subscriptionDenies
    if (this.#isEnding) return NotDelivered.clientClosed
    return subscription.isEnded ? NotDelivered.subscriptionClosed : ''
  }

  /** The client as traces name it. */
  get tracedClient(): TracedClient {
    const { account } = this.subscriptions
    return {
      cid: this.origin.info.client_id ?? 0,
      name: this.#options.name,
      account: account.name,
    }
  }

  get isBehind(): boolean {
    return this.#output.isBehind
  }

  /** The users have changed: the client stays if it still is one, with the rights that it has now. */
  recheck(): void {
    if (this.#isEnding) return
    const outcome = this.#identity.check(this.#options)
    if (outcome instanceof Promise) void outcome.then((identity) => this.#rechecked(identity))
    else this.#rechecked(outcome)
  }

  #rechecked(identity: Identity | null): void {
    if (this.#isEnding) return
    if (identity === null || identity.account !== this.identity?.account) {
      this.#fail(ErrorText.AUTHORIZATION_VIOLATION, 'Authentication Failure')
    } else {
      this.#identity.accept(identity)
      this.#become(identity)
      for (const refusal of this.subscriptions.endForbidden()) {
        this.#outbox.append(errorLine(refusal))
      }
    }
    this.#services.hub.flush(null)
  }

  #authenticate(): void {
    const outcome = this.#identity.check(this.#options)
    if (!(outcome instanceof Promise)) {
      this.#authenticated(outcome)
      return
    }
    const { connection } = this.origin
    this.#parser.hold()
    connection.pause()
    const settle = (identity: Identity | null): void => {
      if (this.#isEnding) return
      this.#authenticated(identity)
      connection.resume()
      this.#parser.release()
      this.#services.hub.flush(this.#output)
    }
    outcome.then(settle, (error: unknown) => {
      this.#services.logger.error('a password could not be checked', { error })
      settle(null)
    })
  }

  #authenticated(identity: Identity | null): void {
    if (identity === null) {
      this.#fail(ErrorText.AUTHORIZATION_VIOLATION, 'Authentication Failure')
      return
    }
    const refusal = this.#identity.accept(identity)
    if (refusal !== null) {
      this.#fail(refusal, 'Maximum Account Connections Exceeded')
      return
    }
    this.#become(identity)
    if (this.#options.verbose) this.#outbox.append(OK)
    this.#hooks.connected(this)
  }

  #become(identity: Identity | null): void {
    if (identity === null) return
    this.subscriptions.become(identity)
    this.#publishing.forgetLast()
  }

  /** Somebody who has to say who it is, and asks for something else first, is refused. */
  #isKnown(): boolean {
    if (this.#identity.current !== null) return true
    this.#fail(ErrorText.AUTHORIZATION_VIOLATION, 'Authentication Failure')
    return false
  }

  #tooSlow(reason: string): void {
    this.#services.slowConsumerCount.add()
    this.#log('slow consumer closed', reason)
    this.#stopServing()
    this.origin.connection.destroy()
  }

  #fail(text: string | null, reason: string): void {
    if (this.#isEnding) return
    this.#log('connection closed', reason)
    if (text !== null) this.#outbox.append(errorLine(text))
    this.#end()
  }

  /** Sends what there is, then closes. */
  #end(): void {
    this.#stopServing()
    this.#outbox.finish()
    this.origin.connection.end()
  }

  #stopServing(): void {
    this.#isEnding = true
    this.#parser.stop()
    this.#output.end()
    this.subscriptions.removeAll()
  }

  #log(text: string, reason: string): void {
    this.closeReason = reason
    const { remoteAddress: address, remotePort: port } = this.origin.connection
    this.#services.logger.info(text, { address, port, name: this.#options.name, reason })
  }
}
