import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  records,
  string,
  struct,
  uint16,
  uuid,
} from '../../../schema/schema.ts'

const leaderIdAndEpoch = struct({
  leaderId: int32,
  leaderEpoch: int32,
})

const nodeEndpoint = struct({
  nodeId: int32,
  host: string,
  port: uint16,
})

export const fetchSnapshotApi = api({
  key: 59,
  name: 'FetchSnapshot',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    clusterId: string.orNull().tagged(0),
    replicaId: int32.default(-1),
    maxBytes: int32.default(2_147_483_647),
    topics: list({
      name: string,
      partitions: list({
        partition: int32,
        currentLeaderEpoch: int32,
        snapshotId: struct({
          endOffset: int64,
          epoch: int32,
        }),
        position: int64,
        replicaDirectoryId: uuid.since(1).tagged(0).ignorable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    topics: list({
      name: string,
      partitions: list({
        index: int32,
        errorCode: int16,
        snapshotId: struct({
          endOffset: int64,
          epoch: int32,
        }),
        currentLeader: leaderIdAndEpoch.tagged(0),
        size: int64,
        position: int64,
        unalignedRecords: records,
      }),
    }),
    nodeEndpoints: array(nodeEndpoint).since(1).tagged(0),
  },
})

export interface FetchSnapshotRequest extends Decoded<typeof fetchSnapshotApi.request> {}
export interface FetchSnapshotResponse extends Encodable<typeof fetchSnapshotApi.response> {}
