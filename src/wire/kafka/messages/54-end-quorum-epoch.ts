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

const replicaInfo = struct({
  candidateId: int32,
  candidateDirectoryId: uuid,
})

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

export const endQuorumEpochApi = api({
  key: 54,
  name: 'EndQuorumEpoch',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    clusterId: string.orNull(),
    topics: list({
      topicName: string,
      partitions: list({
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32,
        preferredSuccessors: array(int32).until(0).ignorable(),
        preferredCandidates: array(replicaInfo).since(1).ignorable(),
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

export interface EndQuorumEpochRequest extends Decoded<typeof endQuorumEpochApi.request> {}
export interface EndQuorumEpochResponse extends Encodable<typeof endQuorumEpochApi.response> {}
