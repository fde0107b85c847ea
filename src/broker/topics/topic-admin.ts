import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError, StorageError } from '../../base/errors.ts'
import type { Logger } from '../../ports/logger.ts'
import {
  ConfigResourceType,
  type MetadataChange,
  type MetadataStore,
  type PartitionImage,
  type TopicImage,
} from '../../ports/metadata-store.ts'
import type { Random } from '../../ports/random.ts'
import type { BrokerConfig } from '../configs/broker-config.ts'
import { TopicConfig } from '../configs/topic-config.ts'
import type { SerialTasks } from '../serial-tasks.ts'
import { checkReplicas, newPartition } from './partition-assignment.ts'
import {
  collisionsOf,
  MAX_NEW_PARTITIONS,
  type NewTopic,
  type PlannedTopic,
  planTopic,
} from './topic-creation.ts'
import { canCollide, collisionKeyOf } from './topic-name.ts'
import type { TopicRegistry } from './topic-registry.ts'

/** How one name of a request ended. */
export interface Outcome {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

export interface CreatedTopic extends Outcome {
  readonly name: string
  /** null when it was refused. */
  readonly created: {
    readonly topicId: string
    readonly partitionCount: number
    readonly config: TopicConfig
  } | null
}

/** A topic by its name or by its id; a client must give exactly one. */
export interface TopicReference {
  readonly name: string | null
  readonly topicId: string | null
}

export interface DeletedTopic extends Outcome {
  readonly name: string | null
  readonly topicId: string | null
}

export interface MorePartitions {
  readonly name: string
  /** All partitions the topic shall have. */
  readonly partitionCount: number
  /** Replicas of each new partition; null: the broker chooses. */
  readonly assignments: readonly (readonly number[])[] | null
}

export interface TopicAdminOptions {
  readonly metadata: MetadataStore
  readonly registry: TopicRegistry
  readonly config: BrokerConfig
  readonly random: Random
  readonly logger: Logger
  /** Shared by all that check the metadata and then change it. */
  readonly tasks: SerialTasks
}

const SUCCESS: Outcome = { errorCode: ErrorCode.NONE, errorMessage: null }

/** Creates, extends and deletes topics. Each call is answered per name, in the order asked. */
export class TopicAdmin {
  readonly #options: TopicAdminOptions

  constructor(options: TopicAdminOptions) {
    this.#options = options
  }

  /** @param isDryRun only checks; an id is made up all the same, as Kafka does */
  createTopics(wanted: readonly NewTopic[], isDryRun: boolean): Promise<CreatedTopic[]> {
    return this.#options.tasks.run(() => this.#createTopics(wanted, isDryRun))
  }

  deleteTopics(references: readonly TopicReference[]): Promise<DeletedTopic[]> {
    return this.#options.tasks.run(() => this.#deleteTopics(references))
  }

  createPartitions(
    wanted: readonly MorePartitions[],
    isDryRun: boolean,
  ): Promise<(Outcome & { readonly name: string })[]> {
    return this.#options.tasks.run(() => this.#createPartitions(wanted, isDryRun))
  }

  async #createTopics(wanted: readonly NewTopic[], isDryRun: boolean): Promise<CreatedTopic[]> {
    const { metadata, config } = this.#options
    const collisions = collisionsOf(metadata.image)
    const isTwice = repeated(wanted.map(({ name }) => name))
    const results = new Map<string, CreatedTopic>()
    const accepted: { topic: TopicImage; plan: PlannedTopic }[] = []
    let partitionCount = 0
    for (const one of wanted) {
      const { name } = one
      try {
        if (isTwice.has(name)) throw duplicate('Duplicate topic name.')
        const plan = planTopic(one, metadata.image, config, collisions)
        partitionCount += plan.partitions.length
        if (partitionCount > MAX_NEW_PARTITIONS) throw tooMany('partitions')
        if (canCollide(name)) collisions.set(collisionKeyOf(name), name)
        const topicId = this.#options.random.uuid()
        const topic = { name, topicId, partitions: plan.partitions }
        if (!isDryRun) await this.#options.registry.prepare(topic, plan.partitions, plan.configs)
        accepted.push({ topic, plan })
        const created = {
          topicId,
          partitionCount: plan.partitions.length,
          config: new TopicConfig(plan.configs, config),
        }
        results.set(name, { name, ...SUCCESS, created })
      } catch (error) {
        results.set(name, { name, ...this.#refusal(error), created: null })
      }
    }
    if (!isDryRun) await this.#commitTopics(accepted)
    return [...results.values()]
  }

  async #commitTopics(
    accepted: readonly { readonly topic: TopicImage; readonly plan: PlannedTopic }[],
  ): Promise<void> {
    const { metadata, registry } = this.#options
    const changes: MetadataChange[] = []
    for (const { topic, plan } of accepted) {
      changes.push({ kind: 'topicCreated', topic })
      for (const [name, value] of plan.configs) {
        const resource = { type: ConfigResourceType.TOPIC, resourceName: topic.name }
        changes.push({ kind: 'configSet', ...resource, name, value })
      }
    }
    try {
      if (changes.length > 0) await metadata.commit(changes)
    } catch (error) {
      for (const { topic } of accepted) registry.discard(topic.topicId, topic.partitions)
      throw error
    }
  }

  async #deleteTopics(references: readonly TopicReference[]): Promise<DeletedTopic[]> {
    const { metadata, config } = this.#options
    const isTwice = repeated(references.map((one) => one.name ?? one.topicId ?? ''))
    const results = new Map<string, DeletedTopic>()
    const changes: MetadataChange[] = []
    for (const reference of references) {
      const key = reference.name ?? reference.topicId ?? ''
      try {
        const { name, topicId } = this.#find(reference, isTwice.has(key))
        if (!config.getBoolean('delete.topic.enable')) {
          throw new BrokerError(ErrorCode.TOPIC_DELETION_DISABLED, 'Topic deletion is disabled.')
        }
        const isDone = changes.some((one) => one.kind === 'topicDeleted' && one.name === name)
        if (isDone) throw duplicate('The same topic was specified by name and by id.')
        changes.push({ kind: 'topicDeleted', name, topicId })
        results.set(key, { name, topicId, ...SUCCESS })
      } catch (error) {
        results.set(key, { ...reference, ...this.#refusal(error) })
      }
    }
    if (changes.length > 0) await metadata.commit(changes)
    return [...results.values()]
  }

  #find(reference: TopicReference, isTwice: boolean): TopicImage {
    const { name, topicId } = reference
    const { image } = this.#options.metadata
    if (name === null && topicId === null) {
      throw duplicate('Neither topic name nor id were specified.')
    }
    if (name !== null && topicId !== null) {
      throw duplicate('You may not specify both topic name and topic id.')
    }
    if (isTwice) throw duplicate(name === null ? 'Duplicate topic id.' : 'Duplicate topic name.')
    const topic = name === null ? image.topicsById.get(topicId ?? '') : image.topics.get(name)
    if (topic !== undefined) return topic
    if (name !== null) throw unknownTopic()
    throw new BrokerError(ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.')
  }

  async #createPartitions(
    wanted: readonly MorePartitions[],
    isDryRun: boolean,
  ): Promise<(Outcome & { readonly name: string })[]> {
    const { metadata, registry } = this.#options
    const isTwice = repeated(wanted.map(({ name }) => name))
    const results = new Map<string, Outcome & { readonly name: string }>()
    const accepted: { topic: TopicImage; partitions: PartitionImage[] }[] = []
    let partitionCount = 0
    for (const one of wanted) {
      const { name } = one
      try {
        if (isTwice.has(name)) throw duplicate('Duplicate topic name.')
        const topic = metadata.image.topics.get(name)
        if (topic === undefined) throw new BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, '')
        const partitions = planPartitions(one, topic, metadata.image.nodeId)
        partitionCount += partitions.length
        if (partitionCount > MAX_NEW_PARTITIONS) throw tooMany('additional partitions')
        const values = metadata.image.configs(ConfigResourceType.TOPIC, name)
        if (!isDryRun) await registry.prepare(topic, partitions, values)
        accepted.push({ topic, partitions })
        results.set(name, { name, ...SUCCESS })
      } catch (error) {
        results.set(name, { name, ...this.#refusal(error) })
      }
    }
    if (isDryRun || accepted.length === 0) return [...results.values()]
    try {
      const kind = 'partitionsAdded'
      await metadata.commit(
        accepted.map(({ topic: { topicId }, partitions }) => ({ kind, topicId, partitions })),
      )
    } catch (error) {
      for (const { topic, partitions } of accepted) registry.discard(topic.topicId, partitions)
      throw error
    }
    return [...results.values()]
  }

  /** Refusals and a full disk belong to one name; anything else is the caller's problem. */
  #refusal(error: unknown): Outcome {
    if (error instanceof BrokerError) {
      return { errorCode: error.code, errorMessage: error.message === '' ? null : error.message }
    }
    if (!(error instanceof StorageError)) throw error
    this.#options.logger.error('the log of a new partition could not be made', { error })
    return { errorCode: ErrorCode.KAFKA_STORAGE_ERROR, errorMessage: error.message }
  }
}

function planPartitions(wanted: MorePartitions, topic: TopicImage, nodeId: number) {
  const { partitionCount, assignments } = wanted
  const before = topic.partitions.length
  if (partitionCount === before) {
    throw invalidPartitions(`Topic already has ${before} partition(s).`)
  }
  if (partitionCount < before) {
    throw invalidPartitions(
      `The topic ${topic.name} currently has ${before} partition(s); ` +
        `${partitionCount} would not be an increase.`,
    )
  }
  const added = partitionCount - before
  if (assignments !== null && assignments.length !== added) {
    throw new BrokerError(
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      `Attempted to add ${added} additional partition(s), but only ${assignments.length} ` +
        'assignment(s) were specified.',
    )
  }
  if (added > MAX_NEW_PARTITIONS) throw tooMany('additional partitions')
  for (const brokerIds of assignments ?? []) checkReplicas(brokerIds, nodeId)
  return Array.from({ length: added }, (_, index) => newPartition(before + index, nodeId))
}

function repeated(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  return new Set(names.filter((name) => seen.size === seen.add(name).size))
}

const duplicate = (message: string): BrokerError =>
  new BrokerError(ErrorCode.INVALID_REQUEST, message)

const tooMany = (what: string): BrokerError =>
  new BrokerError(ErrorCode.POLICY_VIOLATION, `Excessively large number of ${what} per request.`)

const unknownTopic = (): BrokerError =>
  new BrokerError(
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    'This server does not host this topic-partition.',
  )

const invalidPartitions = (message: string): BrokerError =>
  new BrokerError(ErrorCode.INVALID_PARTITIONS, message)
