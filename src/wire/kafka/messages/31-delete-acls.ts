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

export const deleteAclsApi = api({
  key: 31,
  name: 'DeleteAcls',
  versions: [1, 3],
  flexibleSince: 2,
  request: {
    filters: list({
      resourceTypeFilter: int8,
      resourceNameFilter: string.nullable(),
      patternTypeFilter: int8.default(3),
      principalFilter: string.nullable(),
      hostFilter: string.nullable(),
      operation: int8,
      permissionType: int8,
    }),
  },
  response: {
    throttleTimeMs: int32,
    filterResults: list({
      errorCode: int16,
      errorMessage: string.nullable(),
      matchingAcls: list({
        errorCode: int16,
        errorMessage: string.nullable(),
        resourceType: int8,
        resourceName: string,
        patternType: int8.default(3),
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    }),
  },
})

export interface DeleteAclsRequest extends Decoded<typeof deleteAclsApi.request> {}
export interface DeleteAclsResponse extends Encodable<typeof deleteAclsApi.response> {}
