import { ConfigError } from '../../base/errors.ts'
import type { ConfigResourceType } from '../../ports/metadata-store.ts'
import {
  decodeMetadataRecord,
  type MetadataRecord,
} from '../../records/internal/metadata-records.ts'
import { isControl, lastOffsetOf, partitionLeaderEpochOf } from '../../records/record-batch.ts'
import { batchPositions, recordsOf } from '../../records/records-iterator.ts'
import type { ClusterImage } from '../metadata-image.ts'

/** The newest metadata.version this broker understands: 4.4-IV2. */
const MAX_METADATA_VERSION = 33

type RecordNamed<N extends MetadataRecord['name']> = Extract<MetadataRecord, { name: N }>['value']

/**
 * Builds the image from the batches of the metadata log or of a snapshot. Records between
 * BeginTransaction and EndTransaction count only once the end is there (KIP-868).
 */
export class MetadataReplay {
  readonly #image: ClusterImage
  readonly #nodeId: number
  /** Records of a metadata transaction that has not ended; null when none is open. */
  #transaction: MetadataRecord[] | null = null
  #lastEpoch = -1

  constructor(image: ClusterImage) {
    this.#image = image
    this.#nodeId = image.nodeId
  }

  /** Leader epoch of the last batch seen; -1 before any. */
  get lastEpoch(): number {
    return this.#lastEpoch
  }

  /** The log ended inside a metadata transaction: it never happened. */
  get isInTransaction(): boolean {
    return this.#transaction !== null
  }

  /**
   * Applies the whole batches in `bytes`.
   * @param areOffsetsReal false for a snapshot, whose offsets count from 0 inside the file
   * @throws ConfigError when a record is not understood
   */
  applyBatches(bytes: Buffer, areOffsetsReal: boolean): void {
    for (const position of batchPositions(bytes)) {
      this.#lastEpoch = Math.max(this.#lastEpoch, partitionLeaderEpochOf(bytes, position))
      if (!isControl(bytes, position)) this.#applyBatch(bytes, position, areOffsetsReal)
      if (areOffsetsReal) this.#image.advanceTo(lastOffsetOf(bytes, position))
    }
  }

  #applyBatch(bytes: Buffer, position: number, areOffsetsReal: boolean): void {
    for (const { offset, value } of recordsOf(bytes, position)) {
      const place = areOffsetsReal ? `offset ${offset}` : `offset ${offset} of a snapshot`
      if (value === null) throw new ConfigError(`the metadata record at ${place} has no value`)
      this.#applyOrKeep(decodeAt(value, place), place)
    }
  }

  #applyOrKeep(record: MetadataRecord, place: string): void {
    switch (record.name) {
      case 'BeginTransactionRecord':
        this.#transaction = []
        return
      case 'AbortTransactionRecord':
        this.#transaction = null
        return
      case 'EndTransactionRecord': {
        const ended = this.#transaction ?? []
        this.#transaction = null
        for (const one of ended) this.#apply(one, place)
        return
      }
    }
    if (this.#transaction === null) this.#apply(record, place)
    else this.#transaction.push(record)
  }

  /** Records about brokers and security change nothing that this broker serves; they stay in the log. */
  #apply(record: MetadataRecord, place: string): void {
    const image = this.#image
    switch (record.name) {
      case 'TopicRecord':
        image.addTopic(record.value.name, record.value.topicId)
        return
      case 'RemoveTopicRecord':
        this.#topicAt(record.value.topicId, place)
        image.removeTopic(record.value.topicId)
        return
      case 'PartitionRecord':
        this.#putPartition(record.value, place)
        return
      case 'PartitionChangeRecord':
        this.#changePartition(record.value, place)
        return
      case 'ConfigRecord': {
        const { resourceType, resourceName, name, value } = record.value
        image.setConfig(resourceType as ConfigResourceType, resourceName, name, value)
        return
      }
      case 'ProducerIdsRecord':
        image.takeProducerIds(record.value.nextProducerId)
        return
      case 'FeatureLevelRecord':
        this.#setFeature(record.value)
        return
    }
  }

  #putPartition(value: RecordNamed<'PartitionRecord'>, place: string): void {
    const topic = this.#topicAt(value.topicId, place)
    this.#checkReplicas(topic.name, value.partitionId, value.replicas)
    if (value.partitionId > topic.partitions.length) {
      throw new ConfigError(`the metadata record at ${place} skips a partition of ${topic.name}`)
    }
    this.#image.putPartition(value.topicId, {
      partition: value.partitionId,
      replicas: value.replicas,
      isr: value.isr,
      leaderId: value.leader,
      leaderEpoch: value.leaderEpoch,
      partitionEpoch: value.partitionEpoch,
    })
  }

  #changePartition(value: RecordNamed<'PartitionChangeRecord'>, place: string): void {
    const topic = this.#topicAt(value.topicId, place)
    const before = topic.partitions[value.partitionId]
    if (before === undefined) {
      throw new ConfigError(`the metadata record at ${place} changes a partition that is missing`)
    }
    const replicas = value.replicas ?? before.replicas
    this.#checkReplicas(topic.name, value.partitionId, replicas)
    // Every record that names a leader starts an epoch, also when it is the same one (KIP-631).
    const isNewLeader = value.leader !== NO_LEADER_CHANGE
    this.#image.putPartition(value.topicId, {
      partition: value.partitionId,
      replicas,
      isr: value.isr ?? before.isr,
      leaderId: isNewLeader ? value.leader : before.leaderId,
      leaderEpoch: before.leaderEpoch + (isNewLeader ? 1 : 0),
      partitionEpoch: before.partitionEpoch + 1,
    })
  }

  #setFeature({ name, featureLevel }: RecordNamed<'FeatureLevelRecord'>): void {
    if (name === 'metadata.version' && featureLevel > MAX_METADATA_VERSION) {
      throw new ConfigError(
        `the data directory has metadata.version ${featureLevel}, and ${MAX_METADATA_VERSION} is ` +
          'the newest this broker reads; use a newer Spool, or another data directory',
      )
    }
    this.#image.setFeature(name, featureLevel)
  }

  #topicAt(topicId: string, place: string) {
    const topic = this.#image.topicsById.get(topicId)
    if (topic !== undefined) return topic
    throw new ConfigError(`the metadata record at ${place} names the missing topic id ${topicId}`)
  }

  #checkReplicas(topic: string, partition: number, replicas: readonly number[]): void {
    if (replicas.length === 1 && replicas[0] === this.#nodeId) return
    throw new ConfigError(
      `${topic}-${partition} has the replicas [${replicas.join(', ')}], but one node can only ` +
        `serve partitions whose single replica is node ${this.#nodeId}; reassign it first`,
    )
  }
}

const NO_LEADER_CHANGE = -2

function decodeAt(value: Buffer, place: string): MetadataRecord {
  try {
    return decodeMetadataRecord(value)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(
      `the metadata record at ${place} cannot be read (${why}); the data directory was probably ` +
        'written by a newer version: use that, or another data directory',
      { cause },
    )
  }
}
