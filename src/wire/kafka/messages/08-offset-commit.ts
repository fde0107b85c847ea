import {
  api,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  string,
  uuid,
} from '../../../schema/schema.ts'

export const offsetCommitApi = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 10],
  flexibleSince: 8,
  request: {
    groupId: string,
    generationIdOrMemberEpoch: int32.default(-1),
    memberId: string,
    groupInstanceId: string.since(7).orNull(),
    retentionTimeMs: int64.until(4).default(-1).ignorable(),
    topics: list({
      name: string.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: list({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.since(6).default(-1).ignorable(),
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    topics: list({
      name: string.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})

export interface OffsetCommitRequest extends Decoded<typeof offsetCommitApi.request> {}
export interface OffsetCommitResponse extends Encodable<typeof offsetCommitApi.response> {}
