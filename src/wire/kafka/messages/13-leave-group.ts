import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  string,
  struct,
} from '../../../schema/schema.ts'

const memberIdentity = struct({
  memberId: string,
  groupInstanceId: string.orNull(),
  reason: string.since(5).orNull().ignorable(),
})

const memberResponse = struct({
  memberId: string,
  groupInstanceId: string.nullable(),
  errorCode: int16,
})

export const leaveGroupApi = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string,
    memberId: string.until(2),
    members: array(memberIdentity).since(3),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
    members: array(memberResponse).since(3),
  },
})

export interface LeaveGroupRequest extends Decoded<typeof leaveGroupApi.request> {}
export interface LeaveGroupResponse extends Encodable<typeof leaveGroupApi.response> {}
