import type { Matches } from '../../broker/subjects/matches.ts'
import type { Random } from '../../ports/random.ts'
import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import { ChunkPool, LARGE_CHUNK_BYTES } from './chunk-pool.ts'
import { SharedTail, type Subscriber, type Subscription } from './subscription.ts'

/** As many bytes as one read may bring. */
const SCRATCH_BYTES = 64 * 1024

const SEED_BELOW = 0x7fffffff

/** What is written to in a turn, and leaves at its end. */
export interface Flushable {
  /** Sends what there is; returns whether its peer is so far behind that a publisher shall wait. */
  flushAll(): boolean
  /** `publisher` waits until less is pending, or its patience ends. */
  letWait(publisher: Stallable): void
}

export interface Stallable {
  stalled(): void
  resumed(): void
}

/** Where the messages of all clients meet. */
export class NatsHub {
  readonly chunks = new ChunkPool(SCRATCH_BYTES)
  /** One for each fan-out under way: whoever gets a message may publish another one at once. */
  readonly #shared: SharedTail[] = []
  #depth = 0
  readonly #serverScratch = this.chunks.take(LARGE_CHUNK_BYTES)
  #dirty: Flushable[] = []
  #flushing: Flushable[] = []
  /** State of a xorshift generator: a fair choice for each message costs no call to the system. */
  #dice: number

  constructor(random: Random) {
    this.#dice = random.int(SEED_BELOW) + 1
  }

  /** Where a message of the server is written before it is sent; -1: another one is still read there. */
  scratchFor(byteCount: number): number {
    if (this.#depth > 0 || byteCount > this.#serverScratch.byteCount) return -1
    return this.#serverScratch.start
  }

  dirty(flushable: Flushable): void {
    this.#dirty.push(flushable)
  }

  /** Sends what was written since the last flush; a publisher that is too quick waits, for itself too. */
  flush(publisher: (Flushable & Stallable) | null): void {
    const flushing = this.#dirty
    this.#dirty = this.#flushing
    this.#flushing = flushing
    for (const flushable of flushing) {
      const isBehind = flushable.flushAll()
      if (isBehind && publisher !== null) flushable.letWait(publisher)
    }
    flushing.length = 0
  }

  /** @returns how many got the message */
  fanOut(
    { plain, groups }: Matches<Subscription>,
    message: PublishedMessage,
    publisher: Subscriber,
  ): number {
    const shared = this.#sharedTail()
    this.#depth++
    let count = 0
    for (let i = 0; i < plain.length; i++) {
      const subscription = plain[i] as Subscription
      if (subscription.subscriber.deliver(subscription, message, publisher, shared)) count++
    }
    for (let i = 0; i < groups.length; i++) {
      if (this.#deliverToOne(groups[i] as Subscription[], message, publisher, shared)) count++
    }
    this.#depth--
    shared.clear()
    return count
  }

  /**
   * Brings something to all who match, and to one of each group, by `take`.
   * @returns how many took it
   */
  fanOutBy(
    { plain, groups }: Matches<Subscription>,
    take: (subscription: Subscription, shared: SharedTail) => boolean,
  ): number {
    const shared = this.#sharedTail()
    this.#depth++
    let count = 0
    for (const subscription of plain) if (take(subscription, shared)) count++
    for (const group of groups) {
      const first = this.#roll(group.length)
      const inTurn = [...group.slice(first), ...group.slice(0, first)]
      if (inTurn.some((subscription) => take(subscription, shared))) count++
    }
    this.#depth--
    shared.clear()
    return count
  }

  /** Any member may get it; the next one if the first can't. */
  #deliverToOne(
    group: readonly Subscription[],
    message: PublishedMessage,
    publisher: Subscriber,
    shared: SharedTail,
  ): boolean {
    const count = group.length
    const first = count === 1 ? 0 : this.#roll(count)
    for (let i = 0; i < count; i++) {
      const subscription = group[(first + i) % count] as Subscription
      if (subscription.subscriber.deliver(subscription, message, publisher, shared)) return true
    }
    return false
  }

  #sharedTail(): SharedTail {
    const existing = this.#shared[this.#depth]
    if (existing !== undefined) return existing
    const shared = new SharedTail()
    this.#shared.push(shared)
    return shared
  }

  #roll(below: number): number {
    let dice = this.#dice
    dice ^= dice << 13
    dice ^= dice >>> 17
    dice ^= dice << 5
    this.#dice = dice
    return (dice >>> 0) % below
  }
}
