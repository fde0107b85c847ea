import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
} from '../../../schema/schema.ts'

export const deleteGroupsApi = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 3],
  flexibleSince: 2,
  request: {
    groupsNames: array(string),
  },
  response: {
    throttleTimeMs: int32,
    results: list({
      groupId: string,
      errorCode: int16,
      errorMessage: string.since(3).orNull().ignorable(),
    }),
  },
})

export interface DeleteGroupsRequest extends Decoded<typeof deleteGroupsApi.request> {}
export interface DeleteGroupsResponse extends Encodable<typeof deleteGroupsApi.response> {}
