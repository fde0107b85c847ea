import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
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

export const shareGroupDescribeApi = api({
  key: 77,
  name: 'ShareGroupDescribe',
  versions: [1, 1],
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
        rackId: string.orNull(),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        assignment: assignment,
      }),
      authorizedOperations: int32.default(-2_147_483_648),
    }),
  },
})

export interface ShareGroupDescribeRequest extends Decoded<typeof shareGroupDescribeApi.request> {}
export interface ShareGroupDescribeResponse
  extends Encodable<typeof shareGroupDescribeApi.response> {}
