import { assert } from '../../base/assert.ts'
import type { MetadataChange, MetadataImage, PartitionImage } from '../../ports/metadata-store.ts'
import { encodeMetadataRecord } from '../../records/internal/metadata-record.ts'
import {
  configRecord,
  featureLevelRecord,
  partitionChangeRecord,
  partitionRecord,
  producerIdsRecord,
  removeTopicRecord,
  topicRecord,
} from '../../records/internal/topic-metadata-records.ts'
import { METADATA_VERSION } from './metadata-state.ts'
import { partitionVersion } from './record-versions.ts'

/** The only versions there are. */
const TOPIC_VERSION = 0
const CONFIG_VERSION = 0
const FEATURE_VERSION = 0
const PRODUCER_IDS_VERSION = 0
const REMOVE_TOPIC_VERSION = 0

/**
 * A change as the KRaft records that Kafka would write for it, in order.
 * @param image the metadata before the change
 * @param directoryId where replicas of new partitions are
 */
export function recordsOfChange(
  change: MetadataChange,
  image: MetadataImage,
  directoryId: string,
): Buffer[] {
  switch (change.kind) {
    case 'topicCreated': {
      const { name, topicId, partitions } = change.topic
      return [
        encodeMetadataRecord(topicRecord, TOPIC_VERSION, { name, topicId }),
        ...encodePartitions(topicId, partitions, image, directoryId),
      ]
    }
    case 'topicDeleted':
      return [
        encodeMetadataRecord(removeTopicRecord, REMOVE_TOPIC_VERSION, { topicId: change.topicId }),
      ]
    case 'partitionsAdded':
      return encodePartitions(change.topicId, change.partitions, image, directoryId)
    case 'leaderChanged':
      return encodeLeaderChanges(change, image)
    case 'configSet':
      return [
        encodeMetadataRecord(configRecord, CONFIG_VERSION, {
          resourceType: change.type,
          resourceName: change.resourceName,
          name: change.name,
          value: change.value,
        }),
      ]
    case 'producerIdsTaken':
      return [
        encodeMetadataRecord(producerIdsRecord, PRODUCER_IDS_VERSION, {
          brokerId: image.nodeId,
          brokerEpoch: -1,
          nextProducerId: change.nextProducerId,
        }),
      ]
    case 'featureSet':
      return [
        encodeMetadataRecord(featureLevelRecord, FEATURE_VERSION, {
          name: change.name,
          featureLevel: change.level,
        }),
      ]
  }
}

function encodePartitions(
  topicId: string,
  partitions: readonly PartitionImage[],
  image: MetadataImage,
  directoryId: string,
): Buffer[] {
  const metadataVersion = metadataVersionOf(image)
  return partitions.map((one) => encodePartition(topicId, one, directoryId, metadataVersion))
}

/** A partition whose replica is in the one log directory of this node. */
export function encodePartition(
  topicId: string,
  partition: PartitionImage,
  directoryId: string,
  metadataVersion: number,
): Buffer {
  const version = partitionVersion(metadataVersion)
  return encodeMetadataRecord(partitionRecord, version, {
    partitionId: partition.partition,
    topicId,
    replicas: partition.replicas,
    isr: partition.isr,
    removingReplicas: [],
    addingReplicas: [],
    leader: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch,
    ...(version >= 1 ? { directories: partition.replicas.map(() => directoryId) } : {}),
  })
}

/** A change record raises the leader epoch by one, so a jump takes several. */
function encodeLeaderChanges(
  change: Extract<MetadataChange, { kind: 'leaderChanged' }>,
  image: MetadataImage,
): Buffer[] {
  const partition = image.topicsById.get(change.topicId)?.partitions[change.partition]
  assert(partition !== undefined, 'a leader change names a known partition')
  const count = change.leaderEpoch - partition.leaderEpoch
  assert(count > 0, 'leader epochs only go up')
  const version = partitionVersion(metadataVersionOf(image))
  const record = encodeMetadataRecord(partitionChangeRecord, version, {
    partitionId: change.partition,
    topicId: change.topicId,
    isr: partition.replicas.includes(change.leaderId) ? [change.leaderId] : partition.isr,
    leader: change.leaderId,
    leaderRecoveryState: RECOVERED,
    ...(version >= 2 ? { eligibleLeaderReplicas: [], lastKnownElr: [] } : {}),
  })
  return new Array<Buffer>(count).fill(record)
}

/** After an unclean election Kafka says that the leader is still recovering; we never are. */
const RECOVERED = 0

const metadataVersionOf = (image: MetadataImage): number =>
  image.features.get(METADATA_VERSION) ?? 0
