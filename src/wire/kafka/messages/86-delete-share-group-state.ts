import {
  api,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
  uuid,
} from '../../../schema/schema.ts'

export const deleteShareGroupStateApi = api({
  key: 86,
  name: 'DeleteShareGroupState',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: list({
      topicId: uuid,
      partitions: list({
        partition: int32,
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

export interface DeleteShareGroupStateRequest
  extends Decoded<typeof deleteShareGroupStateApi.request> {}
export interface DeleteShareGroupStateResponse
  extends Encodable<typeof deleteShareGroupStateApi.response> {}
