import {
  api,
  array,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  list,
  string,
  struct,
} from '../../../schema/schema.ts'

const userName = struct({
  name: string,
})

export const describeUserScramCredentialsApi = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    users: array(userName).nullable(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    results: list({
      user: string,
      errorCode: int16,
      errorMessage: string.nullable(),
      credentialInfos: list({
        mechanism: int8,
        iterations: int32,
      }),
    }),
  },
})

export interface DescribeUserScramCredentialsRequest
  extends Decoded<typeof describeUserScramCredentialsApi.request> {}
export interface DescribeUserScramCredentialsResponse
  extends Encodable<typeof describeUserScramCredentialsApi.response> {}
