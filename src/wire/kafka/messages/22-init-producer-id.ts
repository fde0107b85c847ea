import {
  api,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  string,
} from '../../../schema/schema.ts'

export const initProducerIdApi = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 6],
  flexibleSince: 2,
  latestUnstable: true,
  request: {
    transactionalId: string.nullable(),
    transactionTimeoutMs: int32,
    producerId: int64.since(3).default(-1),
    producerEpoch: int16.since(3).default(-1),
    enable2Pc: bool.since(6).default(false),
    keepPreparedTxn: bool.since(6).default(false),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: int64.default(-1),
    producerEpoch: int16,
    ongoingTxnProducerId: int64.since(6).default(-1),
    ongoingTxnProducerEpoch: int16.since(6).default(-1),
  },
})

export interface InitProducerIdRequest extends Decoded<typeof initProducerIdApi.request> {}
export interface InitProducerIdResponse extends Encodable<typeof initProducerIdApi.response> {}
