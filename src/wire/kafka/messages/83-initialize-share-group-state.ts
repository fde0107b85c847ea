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

export const initializeShareGroupStateApi = api({
  key: 83,
  name: 'InitializeShareGroupState',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: list({
      topicId: uuid,
      partitions: list({
        partition: int32,
        stateEpoch: int32,
        startOffset: int64,
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
      }),
    }),
  },
})

export interface InitializeShareGroupStateRequest
  extends Decoded<typeof initializeShareGroupStateApi.request> {}
export interface InitializeShareGroupStateResponse
  extends Encodable<typeof initializeShareGroupStateApi.response> {}
