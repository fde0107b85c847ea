import { api, array, type Decoded, type Encodable, int16, string } from '../../../schema/schema.ts'

export const saslHandshakeApi = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  request: {
    mechanism: string,
  },
  response: {
    errorCode: int16,
    mechanisms: array(string),
  },
})

export interface SaslHandshakeRequest extends Decoded<typeof saslHandshakeApi.request> {}
export interface SaslHandshakeResponse extends Encodable<typeof saslHandshakeApi.response> {}
