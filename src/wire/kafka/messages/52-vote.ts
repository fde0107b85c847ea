import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  string,
  struct,
  uint16,
  uuid,
} from '../../../schema/schema.ts'

const nodeEndpoint = struct({
  nodeId: int32,
  host: string,
  port: uint16,
})

export const voteApi = api({
  key: 52,
  name: 'Vote',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    clusterId: string.orNull(),
    voterId: int32.since(1).default(-1).ignorable(),
    topics: list({
      topicName: string,
      partitions: list({
        partitionIndex: int32,
        replicaEpoch: int32,
        replicaId: int32,
        replicaDirectoryId: uuid.since(1).ignorable(),
        voterDirectoryId: uuid.since(1).ignorable(),
        lastOffsetEpoch: int32,
        lastOffset: int64,
        preVote: bool.since(2),
      }),
    }),
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
        voteGranted: bool,
      }),
    }),
    nodeEndpoints: array(nodeEndpoint).since(1).tagged(0),
  },
})

export interface VoteRequest extends Decoded<typeof voteApi.request> {}
export interface VoteResponse extends Encodable<typeof voteApi.response> {}
