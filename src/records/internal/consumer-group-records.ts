/** Records of `__consumer_offsets` about consumer groups (KIP-848). */
import {
  array,
  bytes,
  int8,
  int32,
  int64,
  int64Bigint,
  list,
  string,
  struct,
  uuid,
} from '../../schema/schema.ts'
import { coordinatorRecord } from './coordinator-record.ts'

const classicMemberMetadata = struct({
  sessionTimeoutMs: int32,
  supportedProtocols: list({
    name: string,
    metadata: bytes,
  }),
})

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
  assignmentEpochs: array(int32).nullable().tagged(0),
})

export const consumerGroupMetadata = coordinatorRecord({
  type: 3,
  name: 'ConsumerGroupMetadata',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
  },
  value: {
    epoch: int32,
    /** Any 64 bits. */
    metadataHash: int64Bigint.default(0n).tagged(0),
  },
})

export const consumerGroupPartitionMetadata = coordinatorRecord({
  type: 4,
  name: 'ConsumerGroupPartitionMetadata',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
  },
  value: {
    topics: list({
      topicId: uuid,
      topicName: string,
      numPartitions: int32,
      partitionMetadata: list({
        partition: int32,
        racks: array(string),
      }),
    }),
  },
})

export const consumerGroupMemberMetadata = coordinatorRecord({
  type: 5,
  name: 'ConsumerGroupMemberMetadata',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
    memberId: string,
  },
  value: {
    instanceId: string.nullable(),
    rackId: string.nullable(),
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string),
    subscribedTopicRegex: string.nullable(),
    rebalanceTimeoutMs: int32.default(-1),
    serverAssignor: string.nullable(),
    // Null for a member that speaks the consumer protocol. Left out it would be an empty struct,
    // which stands for a classic member.
    classicMemberMetadata: classicMemberMetadata.nullable().tagged(0).required(),
  },
})

export const consumerGroupTargetAssignmentMetadata = coordinatorRecord({
  type: 6,
  name: 'ConsumerGroupTargetAssignmentMetadata',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
  },
  value: {
    assignmentEpoch: int32,
    assignmentTimestamp: int64.default(0).tagged(0),
  },
})

export const consumerGroupTargetAssignmentMember = coordinatorRecord({
  type: 7,
  name: 'ConsumerGroupTargetAssignmentMember',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
    memberId: string,
  },
  value: {
    topicPartitions: list({
      topicId: uuid,
      partitions: array(int32),
    }),
  },
})

export const consumerGroupCurrentMemberAssignment = coordinatorRecord({
  type: 8,
  name: 'ConsumerGroupCurrentMemberAssignment',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
    memberId: string,
  },
  value: {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: array(topicPartitions),
    partitionsPendingRevocation: array(topicPartitions),
  },
})

export const consumerGroupRegularExpression = coordinatorRecord({
  type: 16,
  name: 'ConsumerGroupRegularExpression',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
    regularExpression: string,
  },
  value: {
    topics: array(string),
    version: int64,
    timestamp: int64,
  },
})
