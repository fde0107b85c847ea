import { type ConsumerConfig, toMs } from './consumer-config.ts'

/** Why a client has the pin no more. */
export type UnpinReason = 'admin' | 'timeout'

/** Told of pins, for advisories. */
export interface PinWatcher {
  pinned(group: string, id: string): void
  unpinned(group: string, reason: UnpinReason): void
}

/**
 * The one client of a group that all messages go to, as long as it asks for some now and then.
 * Source: ADR-42, pinned_client; nats-server has one pin for each consumer.
 */
export class PinnedClient {
  readonly #config: () => ConsumerConfig
  readonly #newId: () => string
  readonly #watcher: PinWatcher
  #id = ''
  #group = ''
  #pinnedAtMs = 0
  #untilMs = Number.POSITIVE_INFINITY

  constructor(config: () => ConsumerConfig, newId: () => string, watcher: PinWatcher) {
    this.#config = config
    this.#newId = newId
    this.#watcher = watcher
  }

  /** Empty while nobody is pinned. */
  get id(): string {
    return this.#id
  }

  /** By the clock that never goes back. */
  get pinnedAtMs(): number {
    return this.#pinnedAtMs
  }

  get untilMs(): number {
    return this.#untilMs
  }

  /** How a request with such an id stands to the pin. */
  judge(id: string): 'right' | 'new' | 'other' | 'wrong' {
    if (this.#config().priority_policy !== 'pinned_client') return 'right'
    if (this.#id === '') return id === '' ? 'new' : 'wrong'
    if (id === this.#id) return 'right'
    return id === '' ? 'other' : 'wrong'
  }

  pin(group: string, nowMs: number): string {
    this.#id = this.#newId()
    this.#group = group
    this.#pinnedAtMs = nowMs
    this.heardOf(nowMs)
    this.#watcher.pinned(group, this.#id)
    return this.#id
  }

  /** The pinned client asked for more. */
  heardOf(nowMs: number): void {
    this.#untilMs = nowMs + toMs(this.#config().priority_timeout)
  }

  /** @returns whether the pin ran out */
  expire(nowMs: number): boolean {
    if (this.#id === '' || nowMs < this.#untilMs) return false
    this.unpin(this.#group, 'timeout')
    return true
  }

  unpin(group: string, reason: UnpinReason): void {
    this.#id = ''
    this.#untilMs = Number.POSITIVE_INFINITY
    this.#watcher.unpinned(group, reason)
  }
}
