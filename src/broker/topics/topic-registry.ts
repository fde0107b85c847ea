import { assert } from '../../base/assert.ts'
import type { LogStore } from '../../ports/log-store.ts'
import type { Logger } from '../../ports/logger.ts'
import {
  ConfigResourceType,
  type MetadataChange,
  type MetadataImage,
  type MetadataListener,
  type MetadataStore,
  type PartitionImage,
  type TopicImage,
} from '../../ports/metadata-store.ts'
import type { LogConfig } from '../../ports/partition-log.ts'
import type { BrokerConfig } from '../configs/broker-config.ts'
import { TopicConfig } from '../configs/topic-config.ts'
import { Partition, type ProduceSettings } from './partition.ts'
import type { PartitionLookup } from './partition-lookup.ts'
import { Topic } from './topic.ts'

export interface TopicRegistryOptions {
  readonly metadata: MetadataStore
  readonly logStore: LogStore
  readonly config: BrokerConfig
  readonly logger: Logger
}

/**
 * The topics of this broker with their open logs. It follows the metadata: what is created there
 * can be used when the commit resolves, what is deleted is gone.
 */
export class TopicRegistry implements PartitionLookup, MetadataListener {
  readonly #metadata: MetadataStore
  readonly #logStore: LogStore
  readonly #config: BrokerConfig
  readonly #logger: Logger
  readonly #topics = new Map<string, Topic>()
  readonly #topicsById = new Map<string, Topic>()
  /** Partitions whose logs are open before the metadata names them, by `topicId index`. */
  readonly #prepared = new Map<string, Partition>()

  constructor(options: TopicRegistryOptions) {
    this.#metadata = options.metadata
    this.#logStore = options.logStore
    this.#config = options.config
    this.#logger = options.logger
  }

  /**
   * Opens the logs of all topics. After a crash every partition starts a new leader epoch first, so
   * that clients can see that what was not synced may be gone (KIP-320).
   * @throws StorageError when a log can't be opened
   */
  async start(): Promise<void> {
    if (this.#logStore.isAfterCrash) await this.#raiseLeaderEpochs()
    for (const image of this.#metadata.image.topics.values()) this.#openTopic(image)
    this.#metadata.subscribe(this)
    this.#config.subscribe({ brokerConfigChanged: () => this.#reconfigureAll() })
    for (const stray of this.#logStore.setAsideStrays()) {
      this.#logger.warn('data that no topic owns was set aside', { directory: stray })
    }
  }

  get topics(): Iterable<Topic> {
    return this.#topics.values()
  }

  get topicCount(): number {
    return this.#topics.size
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  topicById(topicId: string): Topic | undefined {
    return this.#topicsById.get(topicId)
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.#topics.get(topic)?.partitions[index]
  }

  partitionById(topicId: string, index: number): Partition | undefined {
    return this.#topicsById.get(topicId)?.partitions[index]
  }

  topicName(topicId: string): string | undefined {
    return this.#topicsById.get(topicId)?.name
  }

  topicId(topic: string): string | undefined {
    return this.#topics.get(topic)?.topicId
  }

  /**
   * Opens logs before the metadata names them: a record must never be ahead of its directory. Call
   * `discard` when the commit fails.
   * @param values configs that will be set for the topic
   * @throws StorageError when a log can't be made; nothing is left behind
   */
  async prepare(
    topic: { readonly name: string; readonly topicId: string },
    partitions: readonly PartitionImage[],
    values: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { name, topicId } = topic
    const settings = settingsOf(new TopicConfig(values, this.#config))
    const identities = partitions.map(({ partition, leaderEpoch }) => ({
      topic: name,
      topicId,
      partition,
      leaderEpoch,
    }))
    await this.#logStore.makeLogs(identities, settings.log)
    try {
      for (const image of partitions) {
        const key = keyOf(topicId, image.partition)
        this.#prepared.set(key, this.#openPartition(name, topicId, image, settings))
      }
    } catch (error) {
      this.discard(topicId, partitions)
      throw error
    }
  }

  /** Takes back what `prepare` opened and no commit took over. */
  discard(topicId: string, partitions: readonly PartitionImage[]): void {
    for (const { partition } of partitions) {
      const prepared = this.#prepared.get(keyOf(topicId, partition))
      if (prepared === undefined) continue
      this.#prepared.delete(keyOf(topicId, partition))
      this.#logStore.deleteLog(prepared.log)
    }
  }

  metadataChanged(changes: readonly MetadataChange[], image: MetadataImage): void {
    const reconfigured = new Set<string>()
    for (const change of changes) {
      switch (change.kind) {
        case 'topicCreated':
          this.#openTopic(change.topic)
          break
        case 'topicDeleted':
          this.#closeTopic(change.topicId)
          break
        case 'partitionsAdded':
          this.#addPartitions(change.topicId, change.partitions)
          break
        case 'leaderChanged':
          this.partitionById(change.topicId, change.partition)?.log.setLeaderEpoch(
            change.leaderEpoch,
          )
          break
        case 'configSet':
          if (change.type === ConfigResourceType.TOPIC) reconfigured.add(change.resourceName)
          break
      }
    }
    for (const name of reconfigured) this.#reconfigure(name, image)
  }

  async #raiseLeaderEpochs(): Promise<void> {
    const { image } = this.#metadata
    const changes: MetadataChange[] = []
    for (const topic of image.topics.values()) {
      for (const { partition, leaderEpoch } of topic.partitions) {
        changes.push({
          kind: 'leaderChanged',
          topicId: topic.topicId,
          partition,
          leaderId: image.nodeId,
          leaderEpoch: leaderEpoch + 1,
        })
      }
    }
    await this.#metadata.commit(changes)
  }

  #openTopic(image: TopicImage): void {
    const { name, topicId } = image
    const topic = new Topic(name, topicId, this.#configOf(name))
    this.#topics.set(name, topic)
    this.#topicsById.set(topicId, topic)
    this.#addPartitions(topicId, image.partitions)
  }

  #addPartitions(topicId: string, images: readonly PartitionImage[]): void {
    const topic = this.#topicsById.get(topicId)
    assert(topic !== undefined, 'partitions are added to a known topic')
    const settings = settingsOf(topic.config)
    for (const image of images) {
      const key = keyOf(topicId, image.partition)
      const prepared = this.#prepared.get(key)
      this.#prepared.delete(key)
      topic.partitions[image.partition] =
        prepared ?? this.#openPartition(topic.name, topicId, image, settings)
    }
  }

  #openPartition(
    topic: string,
    topicId: string,
    { partition: index, leaderEpoch }: PartitionImage,
    settings: PartitionSettings,
  ): Partition {
    const partition = new Partition(topic, topicId, index)
    const identity = { topic, topicId, partition: index, leaderEpoch }
    partition.attach(this.#logStore.openLog(identity, settings.log, partition))
    partition.configure(settings.produce)
    return partition
  }

  #closeTopic(topicId: string): void {
    const topic = this.#topicsById.get(topicId)
    if (topic === undefined) return
    this.#topicsById.delete(topicId)
    this.#topics.delete(topic.name)
    for (const partition of topic.partitions) {
      partition.gone()
      this.#logStore.deleteLog(partition.log)
    }
  }

  #configOf(topic: string): TopicConfig {
    const values = this.#metadata.image.configs(ConfigResourceType.TOPIC, topic)
    return new TopicConfig(new Map(values), this.#config)
  }

  #reconfigure(name: string, image: MetadataImage): void {
    const topic = this.#topics.get(name)
    if (topic === undefined) return
    const values = image.configs(ConfigResourceType.TOPIC, name)
    topic.config = new TopicConfig(new Map(values), this.#config)
    this.#applyConfig(topic)
  }

  #reconfigureAll(): void {
    for (const topic of this.#topics.values()) this.#applyConfig(topic)
  }

  #applyConfig(topic: Topic): void {
    const settings = settingsOf(topic.config)
    for (const partition of topic.partitions) {
      partition.log.configure(settings.log)
      partition.configure(settings.produce)
    }
  }
}

/** What all partitions of a topic share. */
interface PartitionSettings {
  readonly log: LogConfig
  readonly produce: ProduceSettings
}

const settingsOf = (config: TopicConfig): PartitionSettings => ({
  log: config.logConfig(),
  produce: config.produceSettings(),
})

const keyOf = (topicId: string, partition: number): string => `${topicId} ${partition}`
