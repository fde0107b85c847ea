import {
  api,
  bytes,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
} from '../../../schema/schema.ts'

export const syncGroupApi = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.since(3).orNull(),
    protocolType: string.since(5).orNull().ignorable(),
    protocolName: string.since(5).orNull().ignorable(),
    assignments: list({
      memberId: string,
      assignment: bytes,
    }),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
    protocolType: string.since(5).orNull().ignorable(),
    protocolName: string.since(5).orNull().ignorable(),
    assignment: bytes,
  },
})

export interface SyncGroupRequest extends Decoded<typeof syncGroupApi.request> {}
export interface SyncGroupResponse extends Encodable<typeof syncGroupApi.response> {}
