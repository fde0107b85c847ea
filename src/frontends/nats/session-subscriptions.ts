import { isSubscribable } from '../../broker/subjects/subject.ts'
import { ErrorText } from '../../wire/nats/error-text.ts'
import type { Account } from './account.ts'
import type { Identity } from './auth/identity.ts'
import type { SessionRights } from './session-rights.ts'
import { type Subscriber, Subscription } from './subscription.ts'

/** The subscriptions of one client, by sid: those that its rights allow. */
export class SessionSubscriptions {
  account: Account
  readonly #rights: SessionRights
  readonly #bySid = new Map<string, Subscription>()

  constructor(account: Account, rights: SessionRights) {
    this.account = account
    this.#rights = rights
  }

  get size(): number {
    return this.#bySid.size
  }

  [Symbol.iterator](): Iterator<Subscription> {
    return this.#bySid.values()
  }

  /** @returns what a client is told that may not have it, or null */
  subscribe(
    subscriber: Subscriber,
    subject: string,
    queue: string,
    sid: string,
    maxCount: number,
  ): string | null {
    if (this.#bySid.size >= maxCount) return ErrorText.MAX_SUBSCRIPTIONS
    // A sid that is in use stays what it is, without a word.
    if (this.#bySid.has(sid)) return null
    if (!isSubscribable(subject)) return ErrorText.INVALID_SUBJECT
    const subscription = new Subscription(subscriber, subject, queue, sid)
    if (!this.#rights.maySubscribe(subject, queue)) return refusalOf(subscription)
    subscription.isFiltered = this.#rights.permissions?.needsFilter(subject) === true
    this.#bySid.set(sid, subscription)
    this.account.router.insert(subject, queue, subscription)
    return null
  }

  /** @param maxCount of messages since it began; those that it had count; 0: it ends now */
  unsubscribe(sid: string, maxCount: number): void {
    const subscription = this.#bySid.get(sid)
    if (subscription === undefined) return
    if (maxCount > subscription.deliveredCount) subscription.maxCount = maxCount
    else this.remove(subscription)
  }

  /** The client is somebody: its subscriptions are of that account, and filtered by those rights. */
  become({ account, permissions }: Identity): void {
    this.account = account
    this.#rights.permissions = permissions
    for (const subscription of this.#bySid.values()) {
      subscription.isFiltered = permissions?.needsFilter(subscription.subject) === true
    }
  }

  /** Rights have changed: ends what is no longer allowed. @returns what the client is told */
  endForbidden(): string[] {
    const refusals: string[] = []
    for (const subscription of [...this.#bySid.values()]) {
      if (this.#rights.maySubscribe(subscription.subject, subscription.queue)) continue
      this.remove(subscription)
      refusals.push(refusalOf(subscription))
    }
    return refusals
  }

  /** The plain subscription that an answer to `reply` would come by. */
  forReply(subscriber: Subscriber, reply: string): Subscription | undefined {
    const { plain } = this.account.router.matchesOf(Buffer.from(reply, 'latin1'))
    return plain.find((subscription) => subscription.subscriber === subscriber)
  }

  remove(subscription: Subscription): void {
    subscription.isEnded = true
    this.#bySid.delete(subscription.sid)
    this.account.router.remove(subscription.subject, subscription.queue, subscription)
  }

  removeAll(): void {
    for (const subscription of this.#bySid.values()) this.remove(subscription)
  }
}

function refusalOf({ subject, queue }: Subscription): string {
  const using = queue === '' ? '' : ` using queue "${queue}"`
  return `Permissions Violation for Subscription to "${subject}"${using}`
}
