import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  string,
  struct,
  uuid,
} from '../../../schema/schema.ts'

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
})

const assignment = struct({
  topicPartitions: array(topicPartitions),
})

export const consumerGroupHeartbeatApi = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    instanceId: string.orNull(),
    rackId: string.orNull(),
    rebalanceTimeoutMs: int32.default(-1),
    subscribedTopicNames: array(string).orNull(),
    subscribedTopicRegex: string.since(1).orNull(),
    serverAssignor: string.orNull(),
    topicPartitions: array(topicPartitions).orNull(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.orNull(),
    memberId: string.orNull(),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    assignment: assignment.orNull(),
  },
})

export interface ConsumerGroupHeartbeatRequest
  extends Decoded<typeof consumerGroupHeartbeatApi.request> {}
export interface ConsumerGroupHeartbeatResponse
  extends Encodable<typeof consumerGroupHeartbeatApi.response> {}
