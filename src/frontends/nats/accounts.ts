import type { Random } from '../../ports/random.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import { Account } from './account.ts'
import { type MessageCounts, noMessages } from './message-counts.ts'
import type { NatsHub } from './nats-hub.ts'

/** All accounts of a server. */
export class Accounts {
  readonly hub: NatsHub
  /** Told of accounts when they are made. */
  onNew: ((account: Account) => void) | null = null
  readonly #byName = new Map<string, Account>()
  readonly #random: Random
  readonly #scheduler: Scheduler

  constructor(hub: NatsHub, random: Random, scheduler: Scheduler) {
    this.hub = hub
    this.#random = random
    this.#scheduler = scheduler
  }

  [Symbol.iterator](): Iterator<Account> {
    return this.#byName.values()
  }

  /** Of all of them together. */
  get counts(): MessageCounts {
    const sum = noMessages()
    for (const { counts } of this) {
      sum.receivedMessages += counts.receivedMessages
      sum.receivedBytes += counts.receivedBytes
      sum.sentMessages += counts.sentMessages
      sum.sentBytes += counts.sentBytes
    }
    return sum
  }

  /** The account of a name, made when it is asked for first. */
  get(name: string): Account {
    const existing = this.#byName.get(name)
    if (existing !== undefined) return existing
    const account = new Account(name, this.hub, this.#random, this.#scheduler)
    this.#byName.set(name, account)
    this.onNew?.(account)
    return account
  }
}
