import {
  api,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
} from '../../../schema/schema.ts'

export const offsetDeleteApi = api({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  request: {
    groupId: string,
    topics: list({
      name: string,
      partitions: list({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    errorCode: int16,
    throttleTimeMs: int32,
    topics: list({
      name: string,
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})

export interface OffsetDeleteRequest extends Decoded<typeof offsetDeleteApi.request> {}
export interface OffsetDeleteResponse extends Encodable<typeof offsetDeleteApi.response> {}
