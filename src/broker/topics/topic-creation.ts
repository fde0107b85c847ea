import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError } from '../../base/errors.ts'
import type { MetadataImage, PartitionImage } from '../../ports/metadata-store.ts'
import type { BrokerConfig } from '../configs/broker-config.ts'
import { validateTopicConfigs } from '../configs/topic-config-rules.ts'
import {
  assignedPartitions,
  newPartition,
  type PartitionAssignment,
} from './partition-assignment.ts'
import { canCollide, collisionKeyOf, problemOfTopicName } from './topic-name.ts'

/** A topic that a client wants. */
export interface NewTopic {
  readonly name: string
  /** -1: `num.partitions`, or what the assignments say. */
  readonly partitionCount: number
  /** -1: `default.replication.factor`, or what the assignments say. */
  readonly replicationFactor: number
  readonly assignments: readonly PartitionAssignment[]
  /** Of a name that comes twice the last value counts, as in Kafka. */
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

/** A valid topic, before it exists. */
export interface PlannedTopic {
  readonly name: string
  readonly partitions: readonly PartitionImage[]
  readonly configs: ReadonlyMap<string, string>
}

/** Kafka's limit for one request: it keeps a metadata batch and the wait for it small. */
export const MAX_NEW_PARTITIONS = 10_000

const METADATA_TOPIC = '__cluster_metadata'

/**
 * Checks a wanted topic in Kafka's order.
 * @param collisions by collision key, the names that exist or were planned before
 * @throws BrokerError with Kafka's code and text
 */
export function planTopic(
  wanted: NewTopic,
  image: MetadataImage,
  config: BrokerConfig,
  collisions: ReadonlyMap<string, string>,
): PlannedTopic {
  const { name } = wanted
  if (name === METADATA_TOPIC) {
    throw invalidRequest(`Creation of internal topic ${METADATA_TOPIC} is prohibited.`)
  }
  const problem = problemOfTopicName(name)
  if (problem !== null) throw new BrokerError(ErrorCode.INVALID_TOPIC_EXCEPTION, problem)
  if (image.topics.has(name)) {
    throw new BrokerError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
  }
  const other = canCollide(name) ? collisions.get(collisionKeyOf(name)) : undefined
  if (other !== undefined) {
    throw new BrokerError(
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      `Topic '${name}' collides with existing topic: ${other}`,
    )
  }
  const configs = configsOf(wanted)
  validateTopicConfigs(configs, config)
  return { name, partitions: partitionsOf(wanted, image.nodeId, config), configs }
}

/** Names of existing topics that another name can collide with. */
export function collisionsOf(image: MetadataImage): Map<string, string> {
  const collisions = new Map<string, string>()
  for (const name of image.topics.keys()) {
    if (canCollide(name)) collisions.set(collisionKeyOf(name), name)
  }
  return collisions
}

function configsOf(wanted: NewTopic): Map<string, string> {
  const values = new Map<string, string>()
  const nulls: string[] = []
  for (const { name, value } of wanted.configs) {
    if (value === null) nulls.push(name)
    else values.set(name, value)
  }
  if (nulls.length > 0) {
    throw new BrokerError(
      ErrorCode.INVALID_CONFIG,
      `Null value not supported for topic configs: ${nulls.join(',')}`,
    )
  }
  return values
}

function partitionsOf(wanted: NewTopic, nodeId: number, config: BrokerConfig): PartitionImage[] {
  const { assignments, partitionCount, replicationFactor } = wanted
  if (assignments.length > 0) {
    if (replicationFactor !== -1) {
      throw invalidRequest(
        'A manual partition assignment was specified, but replication factor was not set to -1.',
      )
    }
    if (partitionCount !== -1) {
      throw invalidRequest(
        'A manual partition assignment was specified, but numPartitions was not set to -1.',
      )
    }
    return assignedPartitions(assignments, nodeId)
  }
  checkReplicationFactor(replicationFactor, config)
  if (partitionCount < -1 || partitionCount === 0) {
    throw new BrokerError(
      ErrorCode.INVALID_PARTITIONS,
      'Number of partitions was set to an invalid non-positive value.',
    )
  }
  const count = partitionCount === -1 ? config.getInt('num.partitions') : partitionCount
  checkPartitionCount(count)
  return Array.from({ length: count }, (_, partition) => newPartition(partition, nodeId))
}

function checkReplicationFactor(wanted: number, config: BrokerConfig): void {
  if (wanted < -1 || wanted === 0) {
    throw new BrokerError(
      ErrorCode.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    )
  }
  const factor = wanted === -1 ? config.getInt('default.replication.factor') : wanted
  if (factor === 1) return
  throw new BrokerError(
    ErrorCode.INVALID_REPLICATION_FACTOR,
    `Unable to replicate the partition ${factor} time(s): The target replication factor of ` +
      `${factor} cannot be reached because only 1 broker(s) are registered.`,
  )
}

function checkPartitionCount(count: number): void {
  if (count <= MAX_NEW_PARTITIONS) return
  throw new BrokerError(
    ErrorCode.POLICY_VIOLATION,
    'Excessively large number of partitions per request.',
  )
}

const invalidRequest = (message: string): BrokerError =>
  new BrokerError(ErrorCode.INVALID_REQUEST, message)
