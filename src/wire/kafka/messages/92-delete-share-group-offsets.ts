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

export const deleteShareGroupOffsetsApi = api({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: list({
      topicName: string,
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.orNull(),
    responses: list({
      topicName: string,
      topicId: uuid,
      errorCode: int16,
      errorMessage: string.orNull(),
    }),
  },
})

export interface DeleteShareGroupOffsetsRequest
  extends Decoded<typeof deleteShareGroupOffsetsApi.request> {}
export interface DeleteShareGroupOffsetsResponse
  extends Encodable<typeof deleteShareGroupOffsetsApi.response> {}
