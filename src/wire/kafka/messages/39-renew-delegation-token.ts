import {
  api,
  bytes,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
} from '../../../schema/schema.ts'

export const renewDelegationTokenApi = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: [1, 2],
  flexibleSince: 2,
  request: {
    hmac: bytes,
    renewPeriodMs: int64,
  },
  response: {
    errorCode: int16,
    expiryTimestampMs: int64,
    throttleTimeMs: int32,
  },
})

export interface RenewDelegationTokenRequest
  extends Decoded<typeof renewDelegationTokenApi.request> {}
export interface RenewDelegationTokenResponse
  extends Encodable<typeof renewDelegationTokenApi.response> {}
