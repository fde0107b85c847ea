import type { Matches } from '../../broker/subjects/matches.ts'
import { type RouterLimits, SubjectRouter } from '../../broker/subjects/subject-router.ts'
import type { Random } from '../../ports/random.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import { addSent, type MessageCounts, noMessages } from './message-counts.ts'
import type { NatsHub } from './nats-hub.ts'
import { ServerPublisher } from './server-publisher.ts'
import type { SharedTail, Subscriber, Subscription } from './subscription.ts'
import type { MessageTrace } from './tracing/message-trace.ts'

const ROUTER_LIMITS: RouterLimits = {
  maxCachedSubjects: 32 * 1024,
  maxCachedMatches: 1024 * 1024,
  missesForPrefix: 16,
}

const SEED_BELOW = 0x7fffffff

/** Source: the account of clients that name none, in nats-server. */
export const GLOBAL_ACCOUNT = '$G'

/** A name space of subjects: who publishes in one account reaches only those who listen in it. */
export class Account {
  readonly name: string
  readonly hub: NatsHub
  readonly router: SubjectRouter<Subscription>
  /** For messages of the server itself. */
  readonly publisher: ServerPublisher
  readonly counts: MessageCounts = noMessages()
  /** For people, where the name is a key. */
  title = ''
  /** Its clients may ask about the server. */
  isSystem = false
  /** Clients that are in it now. */
  connectionCount = 0

  readonly #random: Random

  constructor(name: string, hub: NatsHub, random: Random, scheduler: Scheduler) {
    this.name = name
    this.hub = hub
    this.#random = random
    this.router = new SubjectRouter(ROUTER_LIMITS, random.int(SEED_BELOW))
    this.publisher = new ServerPublisher(this, hub, scheduler)
  }

  /** A token that nobody can guess, for a subject. */
  newToken(): string {
    return this.#random.uuid()
  }

  /** @returns whether anybody got the message */
  fanOut(
    matches: Matches<Subscription>,
    message: PublishedMessage,
    publisher: Subscriber,
  ): boolean {
    if (matches.isEmpty) return false
    const count = this.hub.fanOut(matches, message, publisher)
    addSent(this.counts, count, message)
    return count > 0
  }

  /** The same for a message that is traced, which `take` brings to each. */
  fanOutTraced(
    matches: Matches<Subscription>,
    message: PublishedMessage,
    trace: MessageTrace,
    take: (subscription: Subscription, shared: SharedTail) => boolean,
  ): boolean {
    const count = this.hub.fanOutBy(matches, take)
    if (!trace.isOnly) addSent(this.counts, count, message)
    return count > 0
  }
}
