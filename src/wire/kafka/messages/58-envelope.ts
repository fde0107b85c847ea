import { api, bytes, type Decoded, type Encodable, int16 } from '../../../schema/schema.ts'

export const envelopeApi = api({
  key: 58,
  name: 'Envelope',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    requestData: bytes,
    requestPrincipal: bytes.nullable(),
    clientHostAddress: bytes,
  },
  response: {
    responseData: bytes.orNull(),
    errorCode: int16,
  },
})

export interface EnvelopeRequest extends Decoded<typeof envelopeApi.request> {}
export interface EnvelopeResponse extends Encodable<typeof envelopeApi.response> {}
