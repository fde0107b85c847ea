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

export const listGroupsApi = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    statesFilter: array(string).since(4),
    typesFilter: array(string).since(5),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
    groups: list({
      groupId: string,
      protocolType: string,
      groupState: string.since(4).ignorable(),
      groupType: string.since(5).ignorable(),
    }),
  },
})

export interface ListGroupsRequest extends Decoded<typeof listGroupsApi.request> {}
export interface ListGroupsResponse extends Encodable<typeof listGroupsApi.response> {}
