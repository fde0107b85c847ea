import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  int64,
  list,
  string,
  struct,
  uint16,
} from '../../../schema/schema.ts'

const keyValue = struct({
  key: string,
  value: string,
})

const topicInfo = struct({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(keyValue),
})

const topology = struct({
  epoch: int32,
  subtopologies: list({
    subtopologyId: string,
    sourceTopics: array(string),
    sourceTopicRegex: array(string),
    stateChangelogTopics: array(topicInfo),
    repartitionSinkTopics: array(string),
    repartitionSourceTopics: array(topicInfo),
    copartitionGroups: list({
      sourceTopics: array(int16),
      sourceTopicRegex: array(int16),
      repartitionSourceTopics: array(int16),
    }),
  }),
})

const taskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
})

const endpoint = struct({
  host: string,
  port: uint16,
})

const taskOffset = struct({
  subtopologyId: string,
  partition: int32,
  offset: int64,
})

const status = struct({
  statusCode: int8,
  statusDetail: string,
})

const topicPartition = struct({
  topic: string,
  partitions: array(int32),
})

const endpointToPartitions = struct({
  userEndpoint: endpoint,
  activePartitions: array(topicPartition),
  standbyPartitions: array(topicPartition),
})

export const streamsGroupHeartbeatApi = api({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    endpointInformationEpoch: int32,
    instanceId: string.orNull(),
    rackId: string.orNull(),
    rebalanceTimeoutMs: int32.default(-1),
    topology: topology.orNull(),
    activeTasks: array(taskIds).orNull(),
    standbyTasks: array(taskIds).orNull(),
    warmupTasks: array(taskIds).orNull(),
    processId: string.orNull(),
    userEndpoint: endpoint.orNull(),
    clientTags: array(keyValue).orNull(),
    taskOffsets: array(taskOffset).orNull(),
    taskEndOffsets: array(taskOffset).orNull(),
    shutdownApplication: bool.default(false),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.orNull(),
    memberId: string,
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    acceptableRecoveryLagLegacy: int32.until(0),
    taskOffsetIntervalMs: int32,
    acceptableRecoveryLag: int64.since(1).default(-1).ignorable(),
    status: array(status).nullable(),
    activeTasks: array(taskIds).orNull(),
    standbyTasks: array(taskIds).orNull(),
    warmupTasks: array(taskIds).orNull(),
    topologyDescriptionRequired: bool.since(1).default(false),
    endpointInformationEpoch: int32,
    partitionsByUserEndpoint: array(endpointToPartitions).orNull(),
  },
})

export interface StreamsGroupHeartbeatRequest
  extends Decoded<typeof streamsGroupHeartbeatApi.request> {}
export interface StreamsGroupHeartbeatResponse
  extends Encodable<typeof streamsGroupHeartbeatApi.response> {}
