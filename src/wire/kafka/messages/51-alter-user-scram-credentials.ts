import {
  api,
  bytes,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  list,
  string,
} from '../../../schema/schema.ts'

export const alterUserScramCredentialsApi = api({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    deletions: list({
      name: string,
      mechanism: int8,
    }),
    upsertions: list({
      name: string,
      mechanism: int8,
      iterations: int32,
      salt: bytes,
      saltedPassword: bytes,
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: list({
      user: string,
      errorCode: int16,
      errorMessage: string.nullable(),
    }),
  },
})

export interface AlterUserScramCredentialsRequest
  extends Decoded<typeof alterUserScramCredentialsApi.request> {}
export interface AlterUserScramCredentialsResponse
  extends Encodable<typeof alterUserScramCredentialsApi.response> {}
