import {
  api,
  bytes,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
} from '../../../schema/schema.ts'

export const expireDelegationTokenApi = api({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: [1, 2],
  flexibleSince: 2,
  request: {
    hmac: bytes,
    expiryTimePeriodMs: int64,
  },
  response: {
    errorCode: int16,
    expiryTimestampMs: int64,
    throttleTimeMs: int32,
  },
})

export interface ExpireDelegationTokenRequest
  extends Decoded<typeof expireDelegationTokenApi.request> {}
export interface ExpireDelegationTokenResponse
  extends Encodable<typeof expireDelegationTokenApi.response> {}
