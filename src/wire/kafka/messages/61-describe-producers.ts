import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  string,
} from '../../../schema/schema.ts'

export const describeProducersApi = api({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    topics: list({
      name: string,
      partitionIndexes: array(int32),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: list({
      name: string,
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.orNull(),
        activeProducers: list({
          producerId: int64,
          producerEpoch: int32,
          lastSequence: int32.default(-1),
          lastTimestamp: int64.default(-1),
          coordinatorEpoch: int32,
          currentTxnStartOffset: int64.default(-1),
        }),
      }),
    }),
  },
})

export interface DescribeProducersRequest extends Decoded<typeof describeProducersApi.request> {}
export interface DescribeProducersResponse
  extends Encodable<typeof describeProducersApi.response> {}
