import {
  api,
  type Decoded,
  type Encodable,
  int16,
  int32,
  string,
  uuid,
} from '../../../schema/schema.ts'

export const removeRaftVoterApi = api({
  key: 81,
  name: 'RemoveRaftVoter',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    clusterId: string.nullable(),
    voterId: int32,
    voterDirectoryId: uuid,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
  },
})

export interface RemoveRaftVoterRequest extends Decoded<typeof removeRaftVoterApi.request> {}
export interface RemoveRaftVoterResponse extends Encodable<typeof removeRaftVoterApi.response> {}
