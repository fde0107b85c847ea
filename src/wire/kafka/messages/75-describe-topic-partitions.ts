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

const cursor = struct({
  topicName: string,
  partitionIndex: int32,
})

export const describeTopicPartitionsApi = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    topics: list({
      name: string,
    }),
    responsePartitionLimit: int32.default(2_000),
    cursor: cursor.orNull(),
  },
  response: {
    throttleTimeMs: int32,
    topics: list({
      errorCode: int16,
      name: string.nullable(),
      topicId: uuid,
      isInternal: bool.default(false),
      partitions: list({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.default(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        eligibleLeaderReplicas: array(int32).orNull(),
        lastKnownElr: array(int32).orNull(),
        offlineReplicas: array(int32),
      }),
      topicAuthorizedOperations: int32.default(-2_147_483_648),
    }),
    nextCursor: cursor.orNull(),
  },
})

export interface DescribeTopicPartitionsRequest
  extends Decoded<typeof describeTopicPartitionsApi.request> {}
export interface DescribeTopicPartitionsResponse
  extends Encodable<typeof describeTopicPartitionsApi.response> {}
