/** KRaft metadata records about topics, partitions, configs and the log itself. */
import { array, int8, int16, int32, int64, string, uuid } from '../../schema/schema.ts'
import { metadataRecord } from './metadata-record.ts'

export const topicRecord = metadataRecord({
  type: 2,
  name: 'TopicRecord',
  versions: [0, 0],
  fields: {
    name: string,
    topicId: uuid,
  },
})

export const removeTopicRecord = metadataRecord({
  type: 9,
  name: 'RemoveTopicRecord',
  versions: [0, 0],
  fields: {
    topicId: uuid,
  },
})

export const partitionRecord = metadataRecord({
  type: 3,
  name: 'PartitionRecord',
  versions: [0, 2],
  fields: {
    partitionId: int32.default(-1),
    topicId: uuid,
    replicas: array(int32),
    isr: array(int32),
    removingReplicas: array(int32),
    addingReplicas: array(int32),
    leader: int32.default(-1),
    leaderRecoveryState: int8.default(0).tagged(0),
    leaderEpoch: int32.default(-1),
    partitionEpoch: int32.default(-1),
    directories: array(uuid).since(1),
    eligibleLeaderReplicas: array(int32).since(2).orNull().tagged(1),
    lastKnownElr: array(int32).since(2).orNull().tagged(2),
  },
})

export const partitionChangeRecord = metadataRecord({
  type: 5,
  name: 'PartitionChangeRecord',
  versions: [0, 2],
  fields: {
    partitionId: int32.default(-1),
    topicId: uuid,
    isr: array(int32).orNull().tagged(0),
    leader: int32.default(-2).tagged(1),
    replicas: array(int32).orNull().tagged(2),
    removingReplicas: array(int32).orNull().tagged(3),
    addingReplicas: array(int32).orNull().tagged(4),
    leaderRecoveryState: int8.default(-1).tagged(5),
    directories: array(uuid).since(1).orNull().tagged(8),
    eligibleLeaderReplicas: array(int32).since(2).orNull().tagged(6),
    lastKnownElr: array(int32).since(2).orNull().tagged(7),
  },
})

export const configRecord = metadataRecord({
  type: 4,
  name: 'ConfigRecord',
  versions: [0, 0],
  fields: {
    resourceType: int8,
    resourceName: string,
    name: string,
    value: string.nullable(),
  },
})

export const featureLevelRecord = metadataRecord({
  type: 12,
  name: 'FeatureLevelRecord',
  versions: [0, 0],
  fields: {
    name: string,
    featureLevel: int16,
  },
})

export const producerIdsRecord = metadataRecord({
  type: 15,
  name: 'ProducerIdsRecord',
  versions: [0, 0],
  fields: {
    brokerId: int32,
    brokerEpoch: int64.default(-1),
    nextProducerId: int64,
  },
})

export const noOpRecord = metadataRecord({
  type: 20,
  name: 'NoOpRecord',
  versions: [0, 0],
  fields: {},
})

export const clearElrRecord = metadataRecord({
  type: 28,
  name: 'ClearElrRecord',
  versions: [0, 0],
  fields: {
    topicName: string,
  },
})

export const beginTransactionRecord = metadataRecord({
  type: 23,
  name: 'BeginTransactionRecord',
  versions: [0, 0],
  fields: {
    name: string.orNull().tagged(0),
  },
})

export const endTransactionRecord = metadataRecord({
  type: 24,
  name: 'EndTransactionRecord',
  versions: [0, 0],
  fields: {},
})

export const abortTransactionRecord = metadataRecord({
  type: 25,
  name: 'AbortTransactionRecord',
  versions: [0, 0],
  fields: {
    reason: string.orNull().tagged(0),
  },
})

export const zkMigrationStateRecord = metadataRecord({
  type: 21,
  name: 'ZkMigrationStateRecord',
  versions: [0, 0],
  fields: {
    zkMigrationState: int8,
  },
})
