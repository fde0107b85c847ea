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

export const readShareGroupStateSummaryApi = api({
  key: 87,
  name: 'ReadShareGroupStateSummary',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: list({
      topicId: uuid,
      partitions: list({
        partition: int32,
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    results: list({
      topicId: uuid,
      partitions: list({
        partition: int32,
        errorCode: int16,
        errorMessage: string.orNull(),
        stateEpoch: int32,
        leaderEpoch: int32,
        startOffset: int64,
        deliveryCompleteCount: int32.since(1).default(-1).ignorable(),
      }),
    }),
  },
})

export interface ReadShareGroupStateSummaryRequest
  extends Decoded<typeof readShareGroupStateSummaryApi.request> {}
export interface ReadShareGroupStateSummaryResponse
  extends Encodable<typeof readShareGroupStateSummaryApi.response> {}
