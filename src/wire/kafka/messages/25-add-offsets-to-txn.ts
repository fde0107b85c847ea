import {
  api,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  string,
} from '../../../schema/schema.ts'

export const addOffsetsToTxnApi = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexibleSince: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    groupId: string,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
  },
})

export interface AddOffsetsToTxnRequest extends Decoded<typeof addOffsetsToTxnApi.request> {}
export interface AddOffsetsToTxnResponse extends Encodable<typeof addOffsetsToTxnApi.response> {}
