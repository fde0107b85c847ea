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

export const alterShareGroupOffsetsApi = api({
  key: 91,
  name: 'AlterShareGroupOffsets',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    groupId: string,
    topics: list({
      topicName: string,
      partitions: list({
        partitionIndex: int32,
        startOffset: int64,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.orNull(),
    responses: list({
      topicName: string,
      topicId: uuid,
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.orNull(),
      }),
    }),
  },
})

export interface AlterShareGroupOffsetsRequest
  extends Decoded<typeof alterShareGroupOffsetsApi.request> {}
export interface AlterShareGroupOffsetsResponse
  extends Encodable<typeof alterShareGroupOffsetsApi.response> {}
