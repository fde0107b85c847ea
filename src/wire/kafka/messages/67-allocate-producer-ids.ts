import { api, type Decoded, type Encodable, int16, int32, int64 } from '../../../schema/schema.ts'

export const allocateProducerIdsApi = api({
  key: 67,
  name: 'AllocateProducerIds',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    brokerId: int32,
    brokerEpoch: int64.default(-1),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerIdStart: int64,
    producerIdLen: int32,
  },
})

export interface AllocateProducerIdsRequest
  extends Decoded<typeof allocateProducerIdsApi.request> {}
export interface AllocateProducerIdsResponse
  extends Encodable<typeof allocateProducerIdsApi.response> {}
