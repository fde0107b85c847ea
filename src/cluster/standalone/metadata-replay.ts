import { ConfigError, ProtocolError } from '../../base/errors.ts'
import type { ConfigResourceType } from '../../ports/metadata-store.ts'
import { CorruptRecordError } from '../../records/corrupt-record-error.ts'
import {
  decodeMetadataRecord,
  type MetadataRecord,
} from '../../records/internal/metadata-records.ts'
import {
  baseOffsetOf,
  isControl,
  lastOffsetOf,
  maxTimestampOf,
  partitionLeaderEpochOf,
} from '../../records/record-batch.ts'
import { batchPositions, recordsOf } from '../../records/records-iterator.ts'
import type { MetadataState } from './metadata-state.ts'

type RecordNamed<N extends MetadataRecord['name']> = Extract<MetadataRecord, { name: N }>['value']

const NO_LEADER_CHANGE = -2

/**
 * Builds the state from the batches of the metadata log or of a snapshot. Records between
 * BeginTransaction and EndTransaction count only once the end is there (KIP-868).
 */
export class MetadataReplay {
  readonly #state: MetadataState
  /** Records of a metadata transaction that has not ended; null when none is open. */
  #transaction: Buffer[] | null = null
  /** Where partitions are: log directory ids by topic id and partition. */
  readonly #directories = new Map<string, (readonly string[])[]>()
  #lastEpoch = -1
  #lastAppendMs = -1
  #hasLogRecords = false
  /** Newest epoch of the log in which a node registered or stopped. */
  #nodeChangeEpoch = -1

  constructor(state: MetadataState) {
    this.#state = state
  }

  /** Leader epoch of the last batch seen; -1 before any. */
  get lastEpoch(): number {
    return this.#lastEpoch
  }

  /** Timestamp of the newest batch (ms); -1 before any. */
  get lastAppendMs(): number {
    return this.#lastAppendMs
  }

  /** The log, not only a snapshot, has records that say something about the cluster. */
  get hasLogRecords(): boolean {
    return this.#hasLogRecords
  }

  /** The log ended inside a metadata transaction: it never happened. */
  get isInTransaction(): boolean {
    return this.#transaction !== null
  }

  /**
   * Apache Kafka ran last: in the newest epoch a node came or went, which Spool never says, or one
   * is still there.
   */
  get wasKafkaLast(): boolean {
    for (const broker of this.#state.kept.brokers) if (!broker.fenced) return true
    return this.#lastEpoch >= 0 && this.#nodeChangeEpoch === this.#lastEpoch
  }

  /** Ids of the log directories that hold the replicas of a partition, as far as records say. */
  directoriesOf(topicId: string, partition: number): readonly string[] {
    return this.#directories.get(topicId)?.[partition] ?? []
  }

  /**
   * Applies the whole batches in `bytes`.
   * @param areOffsetsReal false for a snapshot, whose offsets count from 0 inside the file
   * @throws ConfigError when a record is not understood
   */
  applyBatches(bytes: Buffer, areOffsetsReal: boolean): void {
    for (const position of batchPositions(bytes)) {
      this.#lastEpoch = Math.max(this.#lastEpoch, partitionLeaderEpochOf(bytes, position))
      this.#lastAppendMs = Math.max(this.#lastAppendMs, maxTimestampOf(bytes, position))
      this.#applyBatch(bytes, position, areOffsetsReal)
      if (areOffsetsReal) this.#state.image.advanceTo(lastOffsetOf(bytes, position))
    }
  }

  #applyBatch(bytes: Buffer, position: number, areOffsetsReal: boolean): void {
    const isControlBatch = isControl(bytes, position)
    const first = `offset ${baseOffsetOf(bytes, position)}${areOffsetsReal ? '' : ' of a snapshot'}`
    const records = readAt(first, () => Array.from(recordsOf(bytes, position)))
    for (const { offset, key, value } of records) {
      const place = areOffsetsReal ? `offset ${offset}` : `offset ${offset} of a snapshot`
      if (value === null) throw new ConfigError(`the metadata record at ${place} has no value`)
      if (isControlBatch) {
        readAt(place, () => this.#state.voters.apply(key, value))
        continue
      }
      const record = readAt(place, () => decodeMetadataRecord(value))
      this.#hasLogRecords ||= areOffsetsReal
      if (areOffsetsReal && isNodeChange(record)) this.#nodeChangeEpoch = this.#lastEpoch
      this.#applyOrKeep(record, value, place)
    }
  }

  #applyOrKeep(record: MetadataRecord, value: Buffer, place: string): void {
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
        for (const one of ended) this.#apply(decodeMetadataRecord(one), one, place)
        return
      }
    }
    if (this.#transaction === null) this.#apply(record, value, place)
    else this.#transaction.push(Buffer.from(value))
  }

  #apply(record: MetadataRecord, bytes: Buffer, place: string): void {
    const { image, kept } = this.#state
    switch (record.name) {
      case 'TopicRecord':
        this.#addTopic(record.value, place)
        return
      case 'RemoveTopicRecord':
        this.#topicAt(record.value.topicId, place)
        image.removeTopic(record.value.topicId)
        this.#directories.delete(record.value.topicId)
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
        image.setFeature(record.value.name, record.value.featureLevel)
        return
      default:
        kept.apply(record, bytes)
    }
  }

  #addTopic({ name, topicId }: RecordNamed<'TopicRecord'>, place: string): void {
    const { image } = this.#state
    if (image.topics.has(name) || image.topicsById.has(topicId))
      throw new ConfigError(`the metadata record at ${place} makes the topic ${name} again`)
    image.addTopic(name, topicId)
  }

  #putPartition(value: RecordNamed<'PartitionRecord'>, place: string): void {
    const topic = this.#topicAt(value.topicId, place)
    if (value.partitionId > topic.partitions.length) {
      throw new ConfigError(`the metadata record at ${place} skips a partition of ${topic.name}`)
    }
    this.#state.image.putPartition(value.topicId, {
      partition: value.partitionId,
      replicas: value.replicas,
      isr: value.isr,
      leaderId: value.leader,
      leaderEpoch: value.leaderEpoch,
      partitionEpoch: value.partitionEpoch,
    })
    this.#putDirectories(value.topicId, value.partitionId, value.directories)
  }

  #changePartition(value: RecordNamed<'PartitionChangeRecord'>, place: string): void {
    const topic = this.#topicAt(value.topicId, place)
    const before = topic.partitions[value.partitionId]
    if (before === undefined) {
      throw new ConfigError(`the metadata record at ${place} changes a partition that is missing`)
    }
    // Every record that names a leader starts an epoch, also when it is the same one (KIP-631).
    const isNewLeader = value.leader !== NO_LEADER_CHANGE
    this.#state.image.putPartition(value.topicId, {
      partition: value.partitionId,
      replicas: value.replicas ?? before.replicas,
      isr: value.isr ?? before.isr,
      leaderId: isNewLeader ? value.leader : before.leaderId,
      leaderEpoch: before.leaderEpoch + (isNewLeader ? 1 : 0),
      partitionEpoch: before.partitionEpoch + 1,
    })
    if (value.directories !== null)
      this.#putDirectories(value.topicId, value.partitionId, value.directories)
  }

  #putDirectories(topicId: string, partition: number, directories: readonly string[]): void {
    const ofTopic = this.#directories.get(topicId) ?? []
    ofTopic[partition] = directories
    this.#directories.set(topicId, ofTopic)
  }

  #topicAt(topicId: string, place: string) {
    const topic = this.#state.image.topicsById.get(topicId)
    if (topic !== undefined) return topic
    throw new ConfigError(`the metadata record at ${place} names the missing topic id ${topicId}`)
  }
}

/** Spool fences brokers too, which are gone when it starts. */
function isNodeChange(record: MetadataRecord): boolean {
  switch (record.name) {
    case 'RegisterBrokerRecord':
    case 'RegisterControllerRecord':
      return true
    case 'BrokerRegistrationChangeRecord':
      return record.value.inControlledShutdown !== 0 || record.value.fenced < 0
  }
  return false
}

function readAt<T>(place: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof CorruptRecordError) {
      const problem = `the metadata record at ${place} is damaged (${cause.message})`
      throw new ConfigError(`${problem}; restore the files of __cluster_metadata-0 from a backup`, {
        cause,
      })
    }
    if (!(cause instanceof ProtocolError)) throw cause
    throw new ConfigError(
      `the metadata record at ${place} cannot be read (${cause.message}); the data directory was ` +
        'probably written by a newer version: use that, or another data directory',
      { cause },
    )
  }
}
