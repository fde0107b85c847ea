import type { CoordinatorPorts } from '../broker/coordinator/coordinator-shard.ts'
import type { InternalTopics } from '../broker/coordinator/internal-topics.ts'
import type { KeptConsumer } from '../broker/jetstream/consumer/stream-consumers.ts'
import { CoordinatedConsumerStore } from '../broker/jetstream/coordinator/consumer-ledger.ts'
import { JetStreamCoordinator } from '../broker/jetstream/coordinator/jetstream-coordinator.ts'
import type { JetStreamMachine } from '../broker/jetstream/coordinator/jetstream-machine.ts'
import { StreamTopics } from '../broker/jetstream/stream/stream-topics.ts'
import { Streams } from '../broker/jetstream/stream/streams.ts'
import type { TopicAdmin } from '../broker/topics/topic-admin.ts'
import type { TopicRegistry } from '../broker/topics/topic-registry.ts'

export interface JetStreamServicesOptions extends CoordinatorPorts {
  readonly topics: InternalTopics
  readonly registry: TopicRegistry
  readonly topicAdmin: TopicAdmin
}

/** All that JetStream has in the broker, whether clients can come or not. */
export class JetStreamServices {
  readonly streams: Streams
  readonly consumerStore: CoordinatedConsumerStore
  readonly #coordinator: JetStreamCoordinator
  #kept: JetStreamMachine | null = null

  constructor(options: JetStreamServicesOptions) {
    const { registry, topicAdmin, topics } = options
    const coordinator = new JetStreamCoordinator(topics, options)
    this.#coordinator = coordinator
    this.streams = new Streams({
      ...options,
      topics: new StreamTopics(registry, topicAdmin),
      commit: (records, done) => coordinator.commit(records, done),
    })
    this.consumerStore = new CoordinatedConsumerStore((records, done) =>
      coordinator.commit(records, done),
    )
  }

  /**
   * Makes the streams from what was kept and from their logs.
   * @throws StorageError when what was kept can't be read
   */
  async start(): Promise<void> {
    this.#kept = await this.#coordinator.load()
    if (this.#kept !== null) await this.streams.restore(this.#kept.streams)
  }

  /** Consumers of a stream as they were when the broker started. */
  keptConsumersOf(stream: string): readonly KeptConsumer[] {
    const kept = this.#kept?.consumers.consumersOf(stream) ?? []
    for (const { name, state } of kept) {
      this.consumerStore.restored(stream, name, state.length)
    }
    return kept
  }

  /** Keeps what is not kept yet; nobody publishes any more. */
  async close(): Promise<void> {
    await this.streams.close()
    await this.#coordinator.close()
  }
}
