import {
  api,
  array,
  bool,
  bytes,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
} from '../../../schema/schema.ts'

export const describeGroupsApi = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexibleSince: 5,
  request: {
    groups: array(string),
    includeAuthorizedOperations: bool.since(3),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    groups: list({
      errorCode: int16,
      errorMessage: string.since(6).orNull(),
      groupId: string,
      groupState: string,
      protocolType: string,
      protocolData: string,
      members: list({
        memberId: string,
        groupInstanceId: string.since(4).orNull().ignorable(),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: int32.since(3).default(-2_147_483_648),
    }),
  },
})

export interface DescribeGroupsRequest extends Decoded<typeof describeGroupsApi.request> {}
export interface DescribeGroupsResponse extends Encodable<typeof describeGroupsApi.response> {}
