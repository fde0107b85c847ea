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

export const shareGroupHeartbeatApi = api({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: [1, 1],
  flexibleSince: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    rackId: string.orNull(),
    subscribedTopicNames: array(string).orNull(),
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

export interface ShareGroupHeartbeatRequest
  extends Decoded<typeof shareGroupHeartbeatApi.request> {}
export interface ShareGroupHeartbeatResponse
  extends Encodable<typeof shareGroupHeartbeatApi.response> {}
