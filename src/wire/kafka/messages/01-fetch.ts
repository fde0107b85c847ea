import {
  api,
  array,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  int64,
  int64Saturated,
  list,
  records,
  string,
  struct,
  uuid,
} from '../../../schema/schema.ts'

const replicaState = struct({
  replicaId: int32.default(-1),
  replicaEpoch: int64.default(-1),
})

const forgottenTopic = struct({
  topic: string.until(12).ignorable(),
  topicId: uuid.since(13).ignorable(),
  partitions: array(int32),
})

const epochEndOffset = struct({
  epoch: int32.default(-1),
  endOffset: int64.default(-1),
})

const leaderIdAndEpoch = struct({
  leaderId: int32.default(-1),
  leaderEpoch: int32.default(-1),
})

const snapshotId = struct({
  endOffset: int64.default(-1),
  epoch: int32.default(-1),
})

const abortedTransaction = struct({
  producerId: int64,
  firstOffset: int64,
})

const nodeEndpoint = struct({
  nodeId: int32,
  host: string,
  port: int32,
  rack: string.orNull(),
})

export const fetchApi = api({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexibleSince: 12,
  request: {
    clusterId: string.since(12).orNull().tagged(0).ignorable(),
    replicaId: int32.until(14).default(-1),
    replicaState: replicaState.since(15).tagged(1),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.default(2_147_483_647),
    isolationLevel: int8.default(0),
    sessionId: int32.since(7).default(0).ignorable(),
    sessionEpoch: int32.since(7).default(-1).ignorable(),
    topics: list({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: list({
        partition: int32,
        currentLeaderEpoch: int32.since(9).default(-1).ignorable(),
        fetchOffset: int64,
        lastFetchedEpoch: int32.since(12).default(-1),
        logStartOffset: int64.since(5).default(-1).ignorable(),
        partitionMaxBytes: int32,
        replicaDirectoryId: uuid.since(17).tagged(0).ignorable(),
        highWatermark: int64Saturated
          .since(18)
          .default(Number.MAX_SAFE_INTEGER)
          .tagged(1)
          .ignorable(),
      }),
    }),
    forgottenTopicsData: array(forgottenTopic).since(7),
    rackId: string.since(11).default('').ignorable(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(7).ignorable(),
    sessionId: int32.since(7).default(0),
    responses: list({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: int64,
        lastStableOffset: int64.default(-1),
        logStartOffset: int64.since(5).default(-1).ignorable(),
        divergingEpoch: epochEndOffset.since(12).tagged(0),
        currentLeader: leaderIdAndEpoch.since(12).tagged(1),
        snapshotId: snapshotId.since(12).tagged(2),
        abortedTransactions: array(abortedTransaction).nullable(),
        preferredReadReplica: int32.since(11).default(-1),
        records: records.nullable(),
      }),
    }),
    nodeEndpoints: array(nodeEndpoint).since(16).tagged(0),
  },
})

export interface FetchRequest extends Decoded<typeof fetchApi.request> {}
export interface FetchResponse extends Encodable<typeof fetchApi.response> {}
