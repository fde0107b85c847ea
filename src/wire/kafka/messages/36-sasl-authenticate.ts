import {
  api,
  bytes,
  type Decoded,
  type Encodable,
  int16,
  int64,
  string,
} from '../../../schema/schema.ts'

export const saslAuthenticateApi = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    authBytes: bytes,
  },
  response: {
    errorCode: int16,
    errorMessage: string.nullable(),
    authBytes: bytes,
    sessionLifetimeMs: int64.since(1).default(0).ignorable(),
  },
})

export interface SaslAuthenticateRequest extends Decoded<typeof saslAuthenticateApi.request> {}
export interface SaslAuthenticateResponse extends Encodable<typeof saslAuthenticateApi.response> {}
