import type { Random } from '../../ports/random.ts'
import { Account } from './account.ts'
import type { NatsHub } from './nats-hub.ts'

const SEED_BELOW = 0x7fffffff

/** All accounts of a server. */
export class Accounts {
  readonly hub: NatsHub
  readonly #byName = new Map<string, Account>()
  readonly #random: Random

  constructor(hub: NatsHub, random: Random) {
    this.hub = hub
    this.#random = random
  }

  [Symbol.iterator](): Iterator<Account> {
    return this.#byName.values()
  }

  /** The account of a name, made when it is asked for first. */
  get(name: string): Account {
    const existing = this.#byName.get(name)
    if (existing !== undefined) return existing
    const account = new Account(name, this.hub, this.#random.int(SEED_BELOW))
    this.#byName.set(name, account)
    return account
  }
}
