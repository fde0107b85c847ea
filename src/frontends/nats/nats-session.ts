import { isPublishable, isSubscribable } from '../../broker/subjects/subject.ts'
import type { Route } from '../../broker/subjects/subject-router.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Counter } from '../../ports/meter.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { Connection, StreamSession } from '../../ports/transport.ts'
import { INITIAL_OPTIONS, parseConnect } from '../../wire/nats/connect-options.ts'
import { ErrorText } from '../../wire/nats/error-text.ts'
import type { OperationSink } from '../../wire/nats/operation-sink.ts'
import { NatsParser, type ParserLimits } from '../../wire/nats/parser.ts'
import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import type { ServerInfo } from '../../wire/nats/server-text.ts'
import {
  errorLine,
  infoLine,
  noRespondersMessage,
  OK,
  PING,
  PONG,
} from '../../wire/nats/server-text.ts'
import type { Account } from './account.ts'
import { addReceived } from './message-counts.ts'
import { MAX_COPIED_TAIL_BYTES, writeLargeMessage, writeMessage } from './message-writer.ts'
import type { Flushable, NatsHub, Stallable } from './nats-hub.ts'
import { Outbox, type OutboxOwner } from './outbox.ts'
import { reservedRefusal } from './reserved-subjects.ts'
import { type SharedTail, type Subscriber, Subscription } from './subscription.ts'

export interface NatsLimits extends ParserLimits {
  /** Bytes on their way to one client; above it the client is too slow and is closed. */
  readonly maxPendingBytes: number
  /** Above it, publishers to the client wait a little. */
  readonly stallBytes: number
  readonly maxSubscriptions: number
  readonly pingIntervalMs: number
  /** Pings without an answer before a connection is stale. */
  readonly maxPingsOut: number
  /** A client that takes nothing of what it is sent for so long is closed. */
  readonly writeDeadlineMs: number
}

/** What all sessions share. */
export interface NatsServices {
  readonly hub: NatsHub
  /** Whose clients those are that name none. */
  readonly globalAccount: Account
  readonly limits: NatsLimits
  readonly logger: Logger
  readonly scheduler: Scheduler
  /** Reads go here while no large message is under way. */
  readonly scratch: Buffer
  readonly slowConsumerCount: Counter
  readonly protocolErrorCount: Counter
}

/** How long a publisher waits at most for a subscriber that is behind, for each read. */
const STALL_MS = 10

/** One NATS client, without any I/O of its own: bytes in, bytes out. */
export class NatsSession
  implements StreamSession, OperationSink, Subscriber, OutboxOwner, Flushable, Stallable
{
  readonly #connection: Connection
  readonly #services: NatsServices
  readonly #info: ServerInfo
  readonly #gone: () => void
  readonly #parser: NatsParser
  readonly #outbox: Outbox
  readonly #account: Account
  readonly #subscriptions = new Map<string, Subscription>()
  #options = INITIAL_OPTIONS
  #isConnected = false
  #isEnding = false
  #isClosed = false
  #isReadingDirectly = false
  #lastRoute: Route<Subscription> | null = null
  /** Publishers that wait for this client. */
  #waiting: Stallable[] = []
  #stallTimer: Timer | null = null
  #hasAnsweredPing = false
  #pingsOut = 0
  #sinceHeardMs = 0
  #sinceSentMs = 0
  #lastSentCount = 0

  constructor(connection: Connection, info: ServerInfo, services: NatsServices, gone: () => void) {
    this.#connection = connection
    this.#services = services
    this.#info = info
    this.#gone = gone
    this.#account = services.globalAccount
    this.#parser = new NatsParser(this, services.limits)
    this.#outbox = new Outbox(connection, services.hub.chunks, this)
  }

  /** Says hello. */
  start(): void {
    this.#outbox.append(infoLine(this.#info))
    this.#services.hub.flush(null)
  }

  nextBuffer(): Buffer {
    const direct = this.#isEnding ? null : this.#parser.directBuffer()
    this.#isReadingDirectly = direct !== null
    return direct ?? this.#services.scratch
  }

  received(byteCount: number): void {
    if (this.#isEnding) return
    const { hub, scratch } = this.#services
    this.#sinceHeardMs = 0
    if (this.#isReadingDirectly) this.#parser.receivedDirectly(byteCount)
    else this.#parser.received(scratch, 0, byteCount)
    hub.flush(this)
  }

  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopServing()
    this.#outbox.discard()
    this.#stallTimer?.cancel()
    this.drained()
    this.#gone()
  }

  /** The server has as many clients as it may. */
  refuseConnection(): void {
    this.#fail(ErrorText.MAX_CONNECTIONS, 'too many connections')
    this.#services.hub.flush(null)
  }

  /** The broker stops: tells the client, sends what there is, and closes. */
  drain(): void {
    if (this.#isEnding) return
    if (this.#options.protocol > 0) this.#outbox.append(infoLine({ ...this.#info, ldm: true }))
    this.#end()
  }

  /** Time passed: asks a silent client whether it is there, and gives up one that takes nothing. */
  passed(byMs: number): void {
    if (this.#isEnding) return
    const { limits } = this.#services
    this.#sinceHeardMs += byMs
    if (this.#sinceHeardMs >= limits.pingIntervalMs) this.#pingSilent()
    const isTaking =
      this.#outbox.pendingBytes === 0 || this.#outbox.sentCount !== this.#lastSentCount
    this.#lastSentCount = this.#outbox.sentCount
    this.#sinceSentMs = isTaking ? 0 : this.#sinceSentMs + byMs
    if (this.#sinceSentMs >= limits.writeDeadlineMs) this.#tooSlow('takes nothing')
  }

  publish(message: PublishedMessage): void {
    const account = this.#account
    const options = this.#options
    addReceived(account.counts, message)
    addReceived(account.hub.counts, message)
    if (options.pedantic && !isPublishable(message.subject())) {
      this.#outbox.append(errorLine(ErrorText.INVALID_PUBLISH_SUBJECT))
    }
    const refusal = reservedRefusal(message)
    if (refusal !== null) {
      this.#outbox.append(errorLine(refusal))
      return
    }
    if (options.verbose) this.#outbox.append(OK)
    let route = this.#lastRoute
    if (!message.isSameSubject || route === null || !account.router.isCurrent(route)) {
      const { bytes, subjectStart, subjectEnd, subjectHash } = message
      route = account.router.find(bytes, subjectStart, subjectEnd, subjectHash)
      this.#lastRoute = route
    }
    if (!account.fanOut(route.matches, message, this) && message.hasReply) {
      this.#notDelivered(message)
    }
  }

  subscribe(subject: string, queue: string, sid: string): void {
    const { limits } = this.#services
    if (this.#subscriptions.size >= limits.maxSubscriptions) {
      this.#outbox.append(errorLine(ErrorText.MAX_SUBSCRIPTIONS))
      return
    }
    // A sid that is in use stays what it is, without a word.
    if (!this.#subscriptions.has(sid)) {
      if (!isSubscribable(subject)) {
        this.#outbox.append(errorLine(ErrorText.INVALID_SUBJECT))
        return
      }
      const subscription = new Subscription(this, subject, queue, sid)
      this.#subscriptions.set(sid, subscription)
      this.#account.router.insert(subject, queue, subscription)
    }
    if (this.#options.verbose) this.#outbox.append(OK)
  }

  unsubscribe(sid: string, maxCount: number): void {
    const subscription = this.#subscriptions.get(sid)
    if (subscription !== undefined) {
      if (maxCount > subscription.deliveredCount) subscription.maxCount = maxCount
      else this.#unsubscribed(subscription)
    }
    if (this.#options.verbose) this.#outbox.append(OK)
  }

  connect(json: string): void {
    const options = parseConnect(json, this.#options)
    if (options === null) {
      this.refuse(null, 'a CONNECT that can not be read')
      return
    }
    this.#options = options
    // It may be somebody else now, so what was subscribed before is gone.
    if (this.#isConnected) this.#unsubscribeAll()
    this.#isConnected = true
    this.#parser.allowsHeaders = options.headers
    if (options.namesAccount) {
      this.#fail(ErrorText.AUTHORIZATION_VIOLATION, 'the client names an account')
    } else if (options.protocol < 0 || options.protocol > 1) {
      this.#fail(ErrorText.INVALID_CLIENT_PROTOCOL, 'an unknown protocol version')
    } else if (options.noResponders && !options.headers) {
      this.#fail(ErrorText.NO_RESPONDERS_NEEDS_HEADERS, 'no_responders without headers')
    } else if (options.verbose) this.#outbox.append(OK)
  }

  ping(): void {
    this.#outbox.append(PONG)
    if (!this.#isConnected || this.#hasAnsweredPing) return
    this.#hasAnsweredPing = true
    if (this.#options.protocol === 0) return
    const more = { connect_info: true, remote_account: this.#account.name }
    this.#outbox.append(infoLine({ ...this.#info, ...more }))
  }

  pong(): void {
    this.#pingsOut = 0
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
    subscription.deliveredCount++
    const outbox = this.#outbox
    const { sidBytes } = subscription
    const { hasHeaders } = message
    const canRead = !hasHeaders || this.#options.headers
    const tailBytes = message.tailEnd - message.tailStart
    if (canRead && message.isTailCanonical && tailBytes <= MAX_COPIED_TAIL_BYTES) {
      const { bytes, tailStart, tailEnd } = message
      writeMessage(outbox, message, sidBytes, hasHeaders, bytes, tailStart, tailEnd)
    } else {
      const tail = canRead ? shared.full(message) : shared.withoutHeaders(message)
      writeLargeMessage(outbox, message, sidBytes, canRead && hasHeaders, tail)
    }
    if (subscription.deliveredCount === subscription.maxCount) this.#unsubscribed(subscription)
    return true
  }

  becameDirty(): void {
    this.#services.hub.dirty(this)
  }

  flushAll(): boolean {
    const { limits } = this.#services
    if (this.#isClosed) return false
    this.#outbox.flush()
    if (this.#isEnding) return false
    if (this.#outbox.pendingBytes > limits.maxPendingBytes) {
      this.#tooSlow('too much is pending')
      return false
    }
    return this.#outbox.pendingBytes > limits.stallBytes
  }

  letWait(publisher: Stallable): void {
    if (!this.#waiting.includes(publisher)) this.#waiting.push(publisher)
    publisher.stalled()
  }

  /** The kernel took something: who waits for this client may go on once little is left. */
  drained(): void {
    if (this.#waiting.length === 0) return
    if (!this.#isClosed && this.#outbox.pendingBytes > this.#services.limits.stallBytes / 2) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const publisher of waiting) publisher.resumed()
  }

  stalled(): void {
    if (this.#stallTimer !== null || this.#isEnding) return
    this.#connection.pause()
    this.#stallTimer = this.#services.scheduler.after(STALL_MS, () => this.resumed())
  }

  resumed(): void {
    if (this.#stallTimer === null) return
    this.#stallTimer.cancel()
    this.#stallTimer = null
    if (!this.#isEnding) this.#connection.resume()
  }

  #notDelivered(message: PublishedMessage): void {
    if (!this.#options.noResponders) return
    const reply = Buffer.from(message.reply(), 'latin1')
    const { plain } = this.#account.router.matchesOf(reply)
    const own = plain.find(({ subscriber }) => subscriber === this)
    if (own === undefined) return
    this.#outbox.append(noRespondersMessage(message.reply(), own.sid, message.subject()))
  }

  #unsubscribed(subscription: Subscription): void {
    subscription.isEnded = true
    this.#subscriptions.delete(subscription.sid)
    const { subject, queue } = subscription
    this.#account.router.remove(subject, queue, subscription)
  }

  #pingSilent(): void {
    const { limits } = this.#services
    this.#sinceHeardMs = 0
    if (this.#pingsOut >= limits.maxPingsOut) {
      this.#fail(ErrorText.STALE_CONNECTION, 'pings are not answered')
    } else {
      this.#pingsOut++
      this.#outbox.append(PING)
    }
  }

  #tooSlow(reason: string): void {
    const { slowConsumerCount } = this.#services
    slowConsumerCount.add()
    this.#log('slow consumer closed', reason)
    this.#stopServing()
    this.#connection.destroy()
  }

  #fail(text: string | null, reason: string): void {
    this.#log('connection closed', reason)
    if (text !== null) this.#outbox.append(errorLine(text))
    this.#end()
  }

  /** Sends what there is, then closes. */
  #end(): void {
    this.#stopServing()
    this.#outbox.flush()
    this.#connection.end()
  }

  #stopServing(): void {
    this.#isEnding = true
    this.#parser.stop()
    this.#unsubscribeAll()
  }

  #unsubscribeAll(): void {
    for (const subscription of this.#subscriptions.values()) this.#unsubscribed(subscription)
  }

  #log(text: string, reason: string): void {
    const { remoteAddress, remotePort } = this.#connection
    const { name } = this.#options
    this.#services.logger.info(text, { address: remoteAddress, port: remotePort, name, reason })
  }
}
