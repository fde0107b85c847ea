import type { Matches } from '../../broker/subjects/matches.ts'
import { type RouterLimits, SubjectRouter } from '../../broker/subjects/subject-router.ts'
import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import { addSent, type MessageCounts, noMessages } from './message-counts.ts'
import type { NatsHub } from './nats-hub.ts'
import type { Subscriber, Subscription } from './subscription.ts'

const ROUTER_LIMITS: RouterLimits = { maxCachedSubjects: 32 * 1024, maxCachedMatches: 1024 * 1024 }

/** Source: the account of clients that name none, in nats-server. */
export const GLOBAL_ACCOUNT = '$G'

/** A name space of subjects: who publishes in one account reaches only those who listen in it. */
export class Account {
  readonly name: string
  readonly hub: NatsHub
  readonly router: SubjectRouter<Subscription>
  readonly counts: MessageCounts = noMessages()

  /** @param seed random */
  constructor(name: string, hub: NatsHub, seed: number) {
    this.name = name
    this.hub = hub
    this.router = new SubjectRouter(ROUTER_LIMITS, seed)
  }

  /** @returns whether anybody got the message */
  fanOut(
    matches: Matches<Subscription>,
    message: PublishedMessage,
    publisher: Subscriber,
  ): boolean {
    const count = this.hub.fanOut(matches, message, publisher)
    addSent(this.counts, count, message)
    return count > 0
  }
}
