import { isPublishable } from '../../broker/subjects/subject.ts'
import type { Route } from '../../broker/subjects/subject-router.ts'
import type { ConnectOptions } from '../../wire/nats/connect-options.ts'
import { ErrorText } from '../../wire/nats/error-text.ts'
import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import { errorLine, noRespondersMessage, OK } from '../../wire/nats/server-text.ts'
import { addReceived, type MessageCounts } from './message-counts.ts'
import type { NatsServices } from './nats-services.ts'
import type { Outbox } from './outbox.ts'
import { reservedRefusal } from './reserved-subjects.ts'
import type { SessionRights } from './session-rights.ts'
import type { SessionSubscriptions } from './session-subscriptions.ts'
import type { Subscriber, Subscription } from './subscription.ts'
import { beginTrace } from './tracing/begin-trace.ts'
import type { MessageTrace, TracedClient } from './tracing/message-trace.ts'
import { takeTraced } from './tracing/take-traced.ts'
import { asksForTrace } from './tracing/trace-headers.ts'

/** Whose messages they are. */
export interface PublishingClient extends Subscriber {
  readonly options: ConnectOptions
  readonly counts: MessageCounts
  readonly tracedClient: TracedClient
}

export interface PublishingParts {
  readonly services: NatsServices
  readonly outbox: Outbox
  readonly rights: SessionRights
  readonly subscriptions: SessionSubscriptions
}

/** What one client publishes, on its way to whoever listens in its account. */
export class SessionPublishing {
  readonly #client: PublishingClient
  readonly #counts: MessageCounts
  readonly #services: NatsServices
  readonly #outbox: Outbox
  readonly #rights: SessionRights
  readonly #subscriptions: SessionSubscriptions
  #lastRoute: Route<Subscription> | null = null

  constructor(client: PublishingClient, parts: PublishingParts) {
    this.#client = client
    this.#counts = client.counts
    this.#services = parts.services
    this.#outbox = parts.outbox
    this.#rights = parts.rights
    this.#subscriptions = parts.subscriptions
  }

  /** The next message has nothing to do with the one before. */
  forgetLast(): void {
    this.#lastRoute = null
    this.#rights.forgetLast()
  }

  publish(message: PublishedMessage): void {
    const { options } = this.#client
    addReceived(this.#counts, message)
    addReceived(this.#subscriptions.account.counts, message)
    if (options.pedantic && !isPublishable(message.subject())) {
      this.#outbox.append(errorLine(ErrorText.INVALID_PUBLISH_SUBJECT))
    }
    if (message.hasHeaders && asksForTrace(message)) {
      this.#publishTraced(message)
      return
    }
    const refusal = this.#refusalOf(message)
    if (refusal !== null) {
      this.#refuse(refusal)
      return
    }
    if (options.verbose) this.#outbox.append(OK)
    const { account } = this.#subscriptions
    let route = this.#lastRoute
    if (!message.isSameSubject || route === null || !account.router.isCurrent(route)) {
      route = account.router.find(message)
      this.#lastRoute = route
    }
    if (!account.fanOut(route.matches, message, this.#client) && message.hasReply) {
      this.#notDelivered(message)
    }
  }

  /** On its own, as the way of most messages is to be short. */
  #publishTraced(message: PublishedMessage): void {
    const { account } = this.#subscriptions
    const publisher = { account, client: this.#client.tracedClient, rights: this.#rights }
    const trace = beginTrace(message, publisher, this.#services)
    // It may go nowhere: the message behind it must not follow the one before it.
    this.forgetLast()
    if (typeof trace === 'string') {
      if (trace !== '') this.#outbox.append(errorLine(trace))
      return
    }
    const refusal = this.#refusalOf(message)
    if (refusal === null) this.#fanOutTraced(message, trace)
    else {
      this.#refuse(refusal)
      trace?.refused(refusal)
    }
    trace?.ended()
  }

  #fanOutTraced(message: PublishedMessage, trace: MessageTrace | null): void {
    if (this.#client.options.verbose) this.#outbox.append(OK)
    const { account } = this.#subscriptions
    const { matches } = account.router.find(message)
    const isTaken =
      trace === null
        ? account.fanOut(matches, message, this.#client)
        : account.fanOutTraced(matches, message, trace, (subscription, shared) =>
            takeTraced(subscription, message, this.#client, shared, trace),
          )
    if (!isTaken && message.hasReply) this.#notDelivered(message)
  }

  #refusalOf(message: PublishedMessage): string | null {
    return this.#rights.mayPublish(message)
      ? reservedRefusal(message)
      : `Permissions Violation for Publish to "${message.subject()}"`
  }

  #refuse(refusal: string): void {
    this.forgetLast()
    this.#outbox.append(errorLine(refusal))
  }

  #notDelivered(message: PublishedMessage): void {
    if (!this.#client.options.noResponders) return
    const reply = message.reply()
    const own = this.#subscriptions.forReply(this.#client, reply)
    if (own === undefined) return
    this.#outbox.append(noRespondersMessage(reply, own.sid, message.subject()))
  }
}
