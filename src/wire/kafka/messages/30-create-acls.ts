import {
  api,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  list,
  string,
} from '../../../schema/schema.ts'

export const createAclsApi = api({
  key: 30,
  name: 'CreateAcls',
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    creations: list({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: int8.default(3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: list({
      errorCode: int16,
      errorMessage: string.nullable(),
    }),
  },
})

export interface CreateAclsRequest extends Decoded<typeof createAclsApi.request> {}
export interface CreateAclsResponse extends Encodable<typeof createAclsApi.response> {}
