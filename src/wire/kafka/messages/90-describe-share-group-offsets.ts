import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  string,
  struct,
  uuid,
} from '../../../schema/schema.ts'

const describeShareGroupOffsetsRequestTopic = struct({
  topicName: string,
  partitions: array(int32),
})

export const describeShareGroupOffsetsApi = api({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groups: list({
      groupId: string,
      topics: array(describeShareGroupOffsetsRequestTopic).nullable(),
    }),
  },
  response: {
    throttleTimeMs: int32,
    groups: list({
      groupId: string,
      topics: list({
        topicName: string,
        topicId: uuid,
        partitions: list({
          partitionIndex: int32,
          startOffset: int64,
          leaderEpoch: int32,
          lag: int64.since(1).default(-1).ignorable(),
          errorCode: int16,
          errorMessage: string.orNull(),
        }),
      }),
      errorCode: int16,
      errorMessage: string.orNull(),
    }),
  },
})

export interface DescribeShareGroupOffsetsRequest
  extends Decoded<typeof describeShareGroupOffsetsApi.request> {}
export interface DescribeShareGroupOffsetsResponse
  extends Encodable<typeof describeShareGroupOffsetsApi.response> {}
