import { api, type Decoded, type Encodable, int16, int32, string } from '../../../schema/schema.ts'

export const unregisterBrokerApi = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    brokerId: int32,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
  },
})

export interface UnregisterBrokerRequest extends Decoded<typeof unregisterBrokerApi.request> {}
export interface UnregisterBrokerResponse extends Encodable<typeof unregisterBrokerApi.response> {}
