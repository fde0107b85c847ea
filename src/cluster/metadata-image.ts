import { assert } from '../base/assert.ts'
import { ErrorCode } from '../base/error-code.ts'
import { BrokerError } from '../base/errors.ts'
import type {
  ConfigResourceType,
  MetadataChange,
  MetadataImage,
  PartitionImage,
  TopicImage,
} from '../ports/metadata-store.ts'

interface MutableTopic extends TopicImage {
  readonly partitions: PartitionImage[]
}

interface ResourceConfigs {
  readonly type: ConfigResourceType
  readonly resourceName: string
  readonly values: ReadonlyMap<string, string>
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map()

/**
 * The metadata as a state machine: every store feeds it the changes that are safe, in order, and
 * shows it to the broker as `MetadataImage`. Nothing here does I/O, so that all stores agree.
 */
export class ClusterImage implements MetadataImage {
  readonly clusterId: string
  readonly nodeId: number
  readonly #topics = new Map<string, MutableTopic>()
  readonly #topicsById = new Map<string, MutableTopic>()
  readonly #configs = new Map<ConfigResourceType, Map<string, Map<string, string>>>()
  readonly #features = new Map<string, number>()
  #nextProducerId = 0
  #offset = -1

  constructor(clusterId: string, nodeId: number) {
    this.clusterId = clusterId
    this.nodeId = nodeId
  }

  get topics(): ReadonlyMap<string, TopicImage> {
    return this.#topics
  }

  get topicsById(): ReadonlyMap<string, TopicImage> {
    return this.#topicsById
  }

  get nextProducerId(): number {
    return this.#nextProducerId
  }

  get features(): ReadonlyMap<string, number> {
    return this.#features
  }

  get offset(): number {
    return this.#offset
  }

  configs(type: ConfigResourceType, resourceName: string): ReadonlyMap<string, string> {
    return this.#configs.get(type)?.get(resourceName) ?? NO_CONFIGS
  }

  configuredResources(type: ConfigResourceType): readonly string[] {
    return [...(this.#configs.get(type)?.keys() ?? [])]
  }

  /** All set values of all resources. */
  *allConfigs(): Generator<ResourceConfigs> {
    for (const [type, resources] of this.#configs) {
      for (const [resourceName, values] of resources) yield { type, resourceName, values }
    }
  }

  /** Everything up to this offset of the metadata log is in the image. */
  advanceTo(offset: number): void {
    assert(offset >= this.#offset, 'the metadata never goes back')
    this.#offset = offset
  }

  /**
   * Refuses a change that no longer fits, because another commit came first.
   * @throws BrokerError with the code that the client would get for it
   */
  check(change: MetadataChange): void {
    if (change.kind === 'topicCreated' && this.#topics.has(change.topic.name)) {
      throw new BrokerError(
        ErrorCode.TOPIC_ALREADY_EXISTS,
        `Topic '${change.topic.name}' already exists.`,
      )
    }
    const isAboutTopic = 'topicId' in change
    if (isAboutTopic && !this.#topicsById.has(change.topicId)) {
      throw new BrokerError(ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.')
    }
  }

  /** Takes a change in. The caller made sure with `check` that it fits. */
  apply(change: MetadataChange): void {
    switch (change.kind) {
      case 'topicCreated':
        this.addTopic(change.topic.name, change.topic.topicId)
        for (const partition of change.topic.partitions) {
          this.putPartition(change.topic.topicId, partition)
        }
        break
      case 'topicDeleted':
        this.removeTopic(change.topicId)
        break
      case 'partitionsAdded':
        for (const partition of change.partitions) this.putPartition(change.topicId, partition)
        break
      case 'leaderChanged':
        this.#changeLeader(change.topicId, change.partition, change.leaderId, change.leaderEpoch)
        break
      case 'configSet':
        this.setConfig(change.type, change.resourceName, change.name, change.value)
        break
      case 'producerIdsTaken':
        this.takeProducerIds(change.nextProducerId)
        break
      case 'featureSet':
        this.setFeature(change.name, change.level)
        break
    }
  }

  addTopic(name: string, topicId: string): void {
    assert(!this.#topics.has(name), 'a topic name is created once')
    const topic: MutableTopic = { name, topicId, partitions: [] }
    this.#topics.set(name, topic)
    this.#topicsById.set(topicId, topic)
  }

  /** Removes the topic and, as Kafka does, the configs that were set for it. */
  removeTopic(topicId: string): void {
    const topic = this.#topicsById.get(topicId)
    assert(topic !== undefined, 'a topic that is removed exists')
    this.#topicsById.delete(topicId)
    this.#topics.delete(topic.name)
    this.#configs.get(2)?.delete(topic.name)
  }

  /** Adds the next partition of a topic, or replaces one it has. */
  putPartition(topicId: string, partition: PartitionImage): void {
    const topic = this.#topicsById.get(topicId)
    assert(topic !== undefined, 'a partition belongs to a topic')
    assert(partition.partition <= topic.partitions.length, 'partitions come in order')
    topic.partitions[partition.partition] = partition
  }

  setConfig(
    type: ConfigResourceType,
    resourceName: string,
    name: string,
    value: string | null,
  ): void {
    const resources = this.#configs.get(type) ?? new Map<string, Map<string, string>>()
    const values = resources.get(resourceName) ?? new Map<string, string>()
    this.#configs.set(type, resources)
    resources.set(resourceName, values)
    if (value === null) values.delete(name)
    else values.set(name, value)
    if (values.size === 0) resources.delete(resourceName)
  }

  takeProducerIds(nextProducerId: number): void {
    this.#nextProducerId = nextProducerId
  }

  /** Level 0 is Kafka's way to say that the feature is off. */
  setFeature(name: string, level: number): void {
    if (level === 0) this.#features.delete(name)
    else this.#features.set(name, level)
  }

  #changeLeader(topicId: string, index: number, leaderId: number, leaderEpoch: number): void {
    const partition = this.#topicsById.get(topicId)?.partitions[index]
    assert(partition !== undefined, 'a leader change names a known partition')
    assert(leaderEpoch > partition.leaderEpoch, 'leader epochs only go up')
    const partitionEpoch = partition.partitionEpoch + leaderEpoch - partition.leaderEpoch
    this.putPartition(topicId, {
      ...partition,
      isr: partition.replicas.includes(leaderId) ? [leaderId] : partition.isr,
      leaderId,
      leaderEpoch,
      partitionEpoch,
    })
  }
}
