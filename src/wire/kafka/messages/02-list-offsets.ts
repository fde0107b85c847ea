import {
  api,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  int64,
  list,
  string,
} from '../../../schema/schema.ts'

export const listOffsetsApi = api({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexibleSince: 6,
  request: {
    replicaId: int32,
    isolationLevel: int8.since(2),
    topics: list({
      name: string,
      partitions: list({
        partitionIndex: int32,
        currentLeaderEpoch: int32.since(4).default(-1).ignorable(),
        timestamp: int64,
      }),
    }),
    timeoutMs: int32.since(10).ignorable(),
  },
  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    topics: list({
      name: string,
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
        timestamp: int64.default(-1),
        offset: int64.default(-1),
        leaderEpoch: int32.since(4).default(-1),
      }),
    }),
  },
})

export interface ListOffsetsRequest extends Decoded<typeof listOffsetsApi.request> {}
export interface ListOffsetsResponse extends Encodable<typeof listOffsetsApi.response> {}
