import {
  api,
  bool,
  bytes,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
} from '../../../schema/schema.ts'

export const joinGroupApi = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleSince: 6,
  request: {
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: int32.since(1).default(-1).ignorable(),
    memberId: string,
    groupInstanceId: string.since(5).orNull(),
    protocolType: string,
    protocols: list({
      name: string,
      metadata: bytes,
    }),
    reason: string.since(8).orNull().ignorable(),
  },
  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    errorCode: int16,
    generationId: int32.default(-1),
    protocolType: string.since(7).orNull().ignorable(),
    protocolName: string.nullable(7),
    leader: string,
    skipAssignment: bool.since(9).default(false),
    memberId: string,
    members: list({
      memberId: string,
      groupInstanceId: string.since(5).orNull().ignorable(),
      metadata: bytes,
    }),
  },
})

export interface JoinGroupRequest extends Decoded<typeof joinGroupApi.request> {}
export interface JoinGroupResponse extends Encodable<typeof joinGroupApi.response> {}
