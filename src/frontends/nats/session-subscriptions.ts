import type { Account } from './account.ts'
import type { Subscription } from './subscription.ts'

/** The subscriptions of one client, by sid. */
export class SessionSubscriptions {
  account: Account
  readonly #bySid = new Map<string, Subscription>()

  constructor(account: Account) {
    this.account = account
  }

  get size(): number {
    return this.#bySid.size
  }

  [Symbol.iterator](): Iterator<Subscription> {
    return this.#bySid.values()
  }

  get(sid: string): Subscription | undefined {
    return this.#bySid.get(sid)
  }

  add(subscription: Subscription): void {
    this.#bySid.set(subscription.sid, subscription)
    this.account.router.insert(subscription.subject, subscription.queue, subscription)
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
