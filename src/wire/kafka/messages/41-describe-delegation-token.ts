import {
  api,
  array,
  bytes,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  string,
  struct,
} from '../../../schema/schema.ts'

const describeDelegationTokenOwner = struct({
  principalType: string,
  principalName: string,
})

export const describeDelegationTokenApi = api({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    owners: array(describeDelegationTokenOwner).nullable(),
  },
  response: {
    errorCode: int16,
    tokens: list({
      principalType: string,
      principalName: string,
      tokenRequesterPrincipalType: string.since(3),
      tokenRequesterPrincipalName: string.since(3),
      issueTimestamp: int64,
      expiryTimestamp: int64,
      maxTimestamp: int64,
      tokenId: string,
      hmac: bytes,
      renewers: list({
        principalType: string,
        principalName: string,
      }),
    }),
    throttleTimeMs: int32,
  },
})

export interface DescribeDelegationTokenRequest
  extends Decoded<typeof describeDelegationTokenApi.request> {}
export interface DescribeDelegationTokenResponse
  extends Encodable<typeof describeDelegationTokenApi.response> {}
