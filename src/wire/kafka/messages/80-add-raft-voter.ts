import {
  api,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
  uint16,
  uuid,
} from '../../../schema/schema.ts'

export const addRaftVoterApi = api({
  key: 80,
  name: 'AddRaftVoter',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    clusterId: string.nullable(),
    timeoutMs: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: list({
      name: string,
      host: string,
      port: uint16,
    }),
    ackWhenCommitted: bool.since(1).default(true),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
  },
})

export interface AddRaftVoterRequest extends Decoded<typeof addRaftVoterApi.request> {}
export interface AddRaftVoterResponse extends Encodable<typeof addRaftVoterApi.response> {}
