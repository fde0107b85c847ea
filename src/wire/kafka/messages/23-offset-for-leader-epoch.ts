import {
  api,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  string,
} from '../../../schema/schema.ts'

export const offsetForLeaderEpochApi = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexibleSince: 4,
  request: {
    replicaId: int32.since(3).default(-2).ignorable(),
    topics: list({
      topic: string,
      partitions: list({
        partition: int32,
        currentLeaderEpoch: int32.default(-1),
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: list({
      topic: string,
      partitions: list({
        errorCode: int16,
        partition: int32,
        leaderEpoch: int32.default(-1),
        endOffset: int64.default(-1),
      }),
    }),
  },
})

export interface OffsetForLeaderEpochRequest
  extends Decoded<typeof offsetForLeaderEpochApi.request> {}
export interface OffsetForLeaderEpochResponse
  extends Encodable<typeof offsetForLeaderEpochApi.response> {}
