import {
  api,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
  struct,
  uint16,
  uuid,
} from '../../../schema/schema.ts'

const currentLeader = struct({
  leaderId: int32.default(-1),
  leaderEpoch: int32.default(-1),
  host: string,
  port: int32,
})

export const updateRaftVoterApi = api({
  key: 82,
  name: 'UpdateRaftVoter',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    clusterId: string.nullable(),
    currentLeaderEpoch: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: list({
      name: string,
      host: string,
      port: uint16,
    }),
    kRaftVersionFeature: struct({
      minSupportedVersion: int16,
      maxSupportedVersion: int16,
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    currentLeader: currentLeader.tagged(0),
  },
})

export interface UpdateRaftVoterRequest extends Decoded<typeof updateRaftVoterApi.request> {}
export interface UpdateRaftVoterResponse extends Encodable<typeof updateRaftVoterApi.response> {}
