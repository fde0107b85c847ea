import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  int64,
  list,
  string,
} from '../../../schema/schema.ts'

export const writeTxnMarkersApi = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: [1, 2],
  flexibleSince: 1,
  request: {
    markers: list({
      producerId: int64,
      producerEpoch: int16,
      transactionResult: bool,
      topics: list({
        name: string,
        partitionIndexes: array(int32),
      }),
      coordinatorEpoch: int32,
      transactionVersion: int8.since(2).default(0).ignorable(),
    }),
  },
  response: {
    markers: list({
      producerId: int64,
      topics: list({
        name: string,
        partitions: list({
          partitionIndex: int32,
          errorCode: int16,
        }),
      }),
    }),
  },
})

export interface WriteTxnMarkersRequest extends Decoded<typeof writeTxnMarkersApi.request> {}
export interface WriteTxnMarkersResponse extends Encodable<typeof writeTxnMarkersApi.response> {}
