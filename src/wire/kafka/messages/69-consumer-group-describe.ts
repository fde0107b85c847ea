import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  list,
  string,
  struct,
  uuid,
} from '../../../schema/schema.ts'

const topicPartitions = struct({
  topicId: uuid,
  topicName: string,
  partitions: array(int32),
})

const assignment = struct({
  topicPartitions: array(topicPartitions),
})

export const consumerGroupDescribeApi = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool,
  },
  response: {
    throttleTimeMs: int32,
    groups: list({
      errorCode: int16,
      errorMessage: string.orNull(),
      groupId: string,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      assignorName: string,
      members: list({
        memberId: string,
        instanceId: string.orNull(),
        rackId: string.orNull(),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        subscribedTopicRegex: string.orNull(),
        assignment: assignment,
        targetAssignment: assignment,
        memberType: int8.since(1).default(-1).ignorable(),
      }),
      authorizedOperations: int32.default(-2_147_483_648),
    }),
  },
})

export interface ConsumerGroupDescribeRequest
  extends Decoded<typeof consumerGroupDescribeApi.request> {}
export interface ConsumerGroupDescribeResponse
  extends Encodable<typeof consumerGroupDescribeApi.response> {}
