import {
  api,
  array,
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

const leaderEndpoint = struct({
  name: string,
  host: string,
  port: uint16,
})

const nodeEndpoint = struct({
  nodeId: int32,
  host: string,
  port: uint16,
})

export const beginQuorumEpochApi = api({
  key: 53,
  name: 'BeginQuorumEpoch',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    clusterId: string.orNull(),
    voterId: int32.since(1).default(-1).ignorable(),
    topics: list({
      topicName: string,
      partitions: list({
        partitionIndex: int32,
        voterDirectoryId: uuid.since(1).ignorable(),
        leaderId: int32,
        leaderEpoch: int32,
      }),
    }),
    leaderEndpoints: array(leaderEndpoint).since(1).ignorable(),
  },
  response: {
    errorCode: int16,
    topics: list({
      topicName: string,
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
        leaderId: int32,
        leaderEpoch: int32,
      }),
    }),
    nodeEndpoints: array(nodeEndpoint).since(1).tagged(0),
  },
})

export interface BeginQuorumEpochRequest extends Decoded<typeof beginQuorumEpochApi.request> {}
export interface BeginQuorumEpochResponse extends Encodable<typeof beginQuorumEpochApi.response> {}
