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

export const describeTransactionsApi = api({
  key: 65,
  name: 'DescribeTransactions',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    transactionalIds: array(string),
  },
  response: {
    throttleTimeMs: int32,
    transactionStates: list({
      errorCode: int16,
      transactionalId: string,
      transactionState: string,
      transactionTimeoutMs: int32,
      transactionStartTimeMs: int64,
      producerId: int64,
      producerEpoch: int16,
      topics: list({
        topic: string,
        partitions: array(int32),
      }),
    }),
  },
})

export interface DescribeTransactionsRequest
  extends Decoded<typeof describeTransactionsApi.request> {}
export interface DescribeTransactionsResponse
  extends Encodable<typeof describeTransactionsApi.response> {}
