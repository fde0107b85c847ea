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

export const deleteRecordsApi = api({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    topics: list({
      name: string,
      partitions: list({
        partitionIndex: int32,
        offset: int64,
      }),
    }),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    topics: list({
      name: string,
      partitions: list({
        partitionIndex: int32,
        lowWatermark: int64,
        errorCode: int16,
      }),
    }),
  },
})

export interface DeleteRecordsRequest extends Decoded<typeof deleteRecordsApi.request> {}
export interface DeleteRecordsResponse extends Encodable<typeof deleteRecordsApi.response> {}
