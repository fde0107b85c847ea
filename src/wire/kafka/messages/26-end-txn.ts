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

export const endTxnApi = api({
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    committed: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: int64.since(5).default(-1).ignorable(),
    producerEpoch: int16.since(5).default(-1).ignorable(),
  },
})

export interface EndTxnRequest extends Decoded<typeof endTxnApi.request> {}
export interface EndTxnResponse extends Encodable<typeof endTxnApi.response> {}
