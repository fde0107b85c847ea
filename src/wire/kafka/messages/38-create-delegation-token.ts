import {
  api,
  bytes,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  string,
} from '../../../schema/schema.ts'

export const createDelegationTokenApi = api({
  key: 38,
  name: 'CreateDelegationToken',
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    ownerPrincipalType: string.since(3).nullable(),
    ownerPrincipalName: string.since(3).nullable(),
    renewers: list({
      principalType: string,
      principalName: string,
    }),
    maxLifetimeMs: int64,
  },
  response: {
    errorCode: int16,
    principalType: string,
    principalName: string,
    tokenRequesterPrincipalType: string.since(3),
    tokenRequesterPrincipalName: string.since(3),
    issueTimestampMs: int64,
    expiryTimestampMs: int64,
    maxTimestampMs: int64,
    tokenId: string,
    hmac: bytes,
    throttleTimeMs: int32,
  },
})

export interface CreateDelegationTokenRequest
  extends Decoded<typeof createDelegationTokenApi.request> {}
export interface CreateDelegationTokenResponse
  extends Encodable<typeof createDelegationTokenApi.response> {}
