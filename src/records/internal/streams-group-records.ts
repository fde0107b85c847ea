/** Records of `__consumer_offsets` about streams groups (KIP-1071). */
import {
  array,
  int8,
  int16,
  int32,
  int64,
  int64Bigint,
  list,
  string,
  struct,
  uint16,
} from '../../schema/schema.ts'
import { coordinatorRecord } from './coordinator-record.ts'

const endpoint = struct({
  host: string,
  port: uint16,
})

const keyValue = struct({
  key: string,
  value: string,
})

const taskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
})

const epochTaskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
  assignmentEpochs: array(int32).nullable().tagged(0),
})

const topologyTopic = struct({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(keyValue),
})

export const streamsGroupMetadata = coordinatorRecord({
  type: 17,
  name: 'StreamsGroupMetadata',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
  },
  value: {
    epoch: int32,
    metadataHash: int64Bigint,
    validatedTopologyEpoch: int32.default(-1).tagged(0),
    lastAssignmentConfigs: array(keyValue).nullable().tagged(1),
    storedDescriptionTopologyEpoch: int32.default(-1).tagged(2),
    failedDescriptionTopologyEpoch: int32.default(-1).tagged(3),
  },
})

export const streamsGroupMemberMetadata = coordinatorRecord({
  type: 19,
  name: 'StreamsGroupMemberMetadata',
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
    rebalanceTimeoutMs: int32.default(-1),
    topologyEpoch: int32,
    processId: string,
    userEndpoint: endpoint.orNull(),
    clientTags: array(keyValue),
  },
})

export const streamsGroupTargetAssignmentMetadata = coordinatorRecord({
  type: 20,
  name: 'StreamsGroupTargetAssignmentMetadata',
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

export const streamsGroupTargetAssignmentMember = coordinatorRecord({
  type: 21,
  name: 'StreamsGroupTargetAssignmentMember',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
    memberId: string,
  },
  value: {
    activeTasks: array(taskIds),
    standbyTasks: array(taskIds),
    warmupTasks: array(taskIds),
  },
})

export const streamsGroupCurrentMemberAssignment = coordinatorRecord({
  type: 22,
  name: 'StreamsGroupCurrentMemberAssignment',
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
    activeTasks: array(epochTaskIds),
    standbyTasks: array(epochTaskIds),
    warmupTasks: array(epochTaskIds),
    activeTasksPendingRevocation: array(epochTaskIds),
    standbyTasksPendingRevocation: array(epochTaskIds),
    warmupTasksPendingRevocation: array(epochTaskIds),
  },
})

export const streamsGroupTopology = coordinatorRecord({
  type: 23,
  name: 'StreamsGroupTopology',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
  },
  value: {
    epoch: int32,
    subtopologies: list({
      subtopologyId: string,
      sourceTopics: array(string),
      sourceTopicRegex: array(string),
      stateChangelogTopics: array(topologyTopic),
      repartitionSinkTopics: array(string),
      repartitionSourceTopics: array(topologyTopic),
      copartitionGroups: list({
        sourceTopics: array(int16),
        sourceTopicRegex: array(int16),
        repartitionSourceTopics: array(int16),
      }),
    }),
  },
})
