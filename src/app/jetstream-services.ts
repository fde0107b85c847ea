import type { CoordinatorPorts } from '../broker/coordinator/coordinator-shard.ts'
import type { InternalTopics } from '../broker/coordinator/internal-topics.ts'
import type { KeptConsumer } from '../broker/jetstream/consumer/stream-consumers.ts'
import {
  accountOf,
  qualifiedName,
  recordsOf,
} from '../broker/jetstream/coordinator/account-records.ts'
import {
  type CommitRecords,
  CoordinatedConsumerStore,
} from '../broker/jetstream/coordinator/consumer-ledger.ts'
import { JetStreamCoordinator } from '../broker/jetstream/coordinator/jetstream-coordinator.ts'
import type { JetStreamMachine } from '../broker/jetstream/coordinator/jetstream-machine.ts'
import { StreamTopics } from '../broker/jetstream/stream/stream-topics.ts'
import { Streams } from '../broker/jetstream/stream/streams.ts'
import type { TopicAdmin } from '../broker/topics/topic-admin.ts'
import type { TopicRegistry } from '../broker/topics/topic-registry.ts'
import type { MetadataChange, MetadataListener } from '../ports/metadata-store.ts'

export interface JetStreamServicesOptions extends CoordinatorPorts {
  readonly topics: InternalTopics
  readonly registry: TopicRegistry
  readonly topicAdmin: TopicAdmin
}

/** What one account has. */
export interface AccountStreams {
  readonly streams: Streams
  readonly consumerStore: CoordinatedConsumerStore
  /** Consumers of a stream as they were when the broker started. */
  keptConsumersOf(stream: string): readonly KeptConsumer[]
}

/** All that JetStream has in the broker, whether clients can come or not. */
export class JetStreamServices implements MetadataListener {
  /** Of the account of clients that name none. */
  readonly global: AccountStreams
  readonly #options: JetStreamServicesOptions
  readonly #coordinator: JetStreamCoordinator
  readonly #accounts = new Map<string, AccountStreams>()
  #kept: JetStreamMachine | null = null

  constructor(options: JetStreamServicesOptions) {
    this.#options = options
    this.#coordinator = new JetStreamCoordinator(options.topics, options)
    this.global = this.#make(null)
  }

  /**
   * Makes the streams from what was kept and from their logs.
   * @throws StorageError when what was kept can't be read
   */
  async start(): Promise<void> {
    this.#kept = await this.#coordinator.load()
    await this.#restore(null, this.global)
  }

  /** Streams of a named account; call it after `start`. The first call makes them from their logs. */
  async account(name: string): Promise<AccountStreams> {
    const existing = this.#accounts.get(name)
    if (existing !== undefined) return existing
    const made = this.#make(name)
    this.#accounts.set(name, made)
    await this.#restore(name, made)
    return made
  }

  metadataChanged(changes: readonly MetadataChange[]): void {
    for (const { streams } of this.#all()) streams.metadataChanged(changes)
  }

  /** Keeps what is not kept yet; nobody publishes any more. */
  async close(): Promise<void> {
    await Promise.all(this.#all().map(({ streams }) => streams.close()))
    await this.#coordinator.close()
  }

  #all(): readonly AccountStreams[] {
    return [this.global, ...this.#accounts.values()]
  }

  async #restore(account: string | null, { streams }: AccountStreams): Promise<void> {
    if (this.#kept !== null) await streams.restore(this.#kept.streams.ofAccount(account))
  }

  /** A stream is in the topic, of whatever account. */
  #isTaken(topicId: string): boolean {
    if (this.#all().some(({ streams }) => streams.all().some((one) => one.topicId === topicId))) {
      return true
    }
    // Those of accounts that have no JetStream any more may come back.
    for (const [qualified, kept] of this.#kept?.streams.streams ?? []) {
      const account = accountOf(qualified)
      const isServed = account === null || this.#accounts.has(account)
      if (!isServed && kept.topicId === topicId) return true
    }
    return false
  }

  #make(account: string | null): AccountStreams {
    const { registry, topicAdmin } = this.#options
    const commit: CommitRecords = (records, done) =>
      this.#coordinator.commit(recordsOf(account, records), done)
    const isTaken = (topicId: string) => this.#isTaken(topicId)
    const topics = new StreamTopics(registry, topicAdmin, { account, isTaken })
    const streams = new Streams({ ...this.#options, topics, commit })
    const consumerStore = new CoordinatedConsumerStore(commit)
    return {
      streams,
      consumerStore,
      keptConsumersOf: (stream) => {
        const kept = this.#kept?.consumers.consumersOf(qualifiedName(account, stream)) ?? []
        for (const { name, state } of kept) consumerStore.restored(stream, name, state.length)
        return kept.map((one) => ({ ...one, stream }))
      },
    }
  }
}
