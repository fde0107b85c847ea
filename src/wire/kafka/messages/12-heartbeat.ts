import { api, type Decoded, type Encodable, int16, int32, string } from '../../../schema/schema.ts'

export const heartbeatApi = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleSince: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.since(3).orNull(),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
  },
})

export interface HeartbeatRequest extends Decoded<typeof heartbeatApi.request> {}
export interface HeartbeatResponse extends Encodable<typeof heartbeatApi.response> {}
