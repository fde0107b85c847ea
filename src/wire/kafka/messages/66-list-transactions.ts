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

export const listTransactionsApi = api({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    stateFilters: array(string),
    producerIdFilters: array(int64),
    durationFilter: int64.since(1).default(-1),
    transactionalIdPattern: string.since(2).orNull(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    unknownStateFilters: array(string),
    transactionStates: list({
      transactionalId: string,
      producerId: int64,
      transactionState: string,
    }),
  },
})

export interface ListTransactionsRequest extends Decoded<typeof listTransactionsApi.request> {}
export interface ListTransactionsResponse extends Encodable<typeof listTransactionsApi.response> {}
