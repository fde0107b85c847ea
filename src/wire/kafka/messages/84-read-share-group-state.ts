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
  uuid,
} from '../../../schema/schema.ts'

export const readShareGroupStateApi = api({
  key: 84,
  name: 'ReadShareGroupState',
  versions: [0, 0],
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
        startOffset: int64,
        stateBatches: list({
          firstOffset: int64,
          lastOffset: int64,
          deliveryState: int8,
          deliveryCount: int16,
        }),
      }),
    }),
  },
})

export interface ReadShareGroupStateRequest
  extends Decoded<typeof readShareGroupStateApi.request> {}
export interface ReadShareGroupStateResponse
  extends Encodable<typeof readShareGroupStateApi.response> {}
