/** Records of `__consumer_offsets` about share groups (KIP-932). */
import {
  array,
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

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
})

const topicPartitionsInfo = struct({
  topicId: uuid,
  topicName: string,
  partitions: array(int32),
})

const topicInfo = struct({
  topicId: uuid,
  topicName: string,
})

export const shareGroupMemberMetadata = coordinatorRecord({
  type: 10,
  name: 'ShareGroupMemberMetadata',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
    memberId: string,
  },
  value: {
    rackId: string.nullable(),
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string),
  },
})

export const shareGroupMetadata = coordinatorRecord({
  type: 11,
  name: 'ShareGroupMetadata',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
  },
  value: {
    epoch: int32,
    metadataHash: int64Bigint,
  },
})

export const shareGroupTargetAssignmentMetadata = coordinatorRecord({
  type: 12,
  name: 'ShareGroupTargetAssignmentMetadata',
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

export const shareGroupTargetAssignmentMember = coordinatorRecord({
  type: 13,
  name: 'ShareGroupTargetAssignmentMember',
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

export const shareGroupCurrentMemberAssignment = coordinatorRecord({
  type: 14,
  name: 'ShareGroupCurrentMemberAssignment',
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
  },
})

export const shareGroupStatePartitionMetadata = coordinatorRecord({
  type: 15,
  name: 'ShareGroupStatePartitionMetadata',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
  },
  value: {
    initializingTopics: array(topicPartitionsInfo),
    initializedTopics: array(topicPartitionsInfo),
    deletingTopics: array(topicInfo),
  },
})
