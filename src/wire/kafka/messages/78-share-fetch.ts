import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  int64,
  list,
  records,
  string,
  struct,
  uuid,
} from '../../../schema/schema.ts'

export const shareFetchApi = api({
  key: 78,
  name: 'ShareFetch',
  versions: [1, 2],
  flexibleSince: 0,
  request: {
    groupId: string.orNull(),
    memberId: string.nullable(),
    shareSessionEpoch: int32,
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.default(2_147_483_647),
    maxRecords: int32,
    batchSize: int32,
    shareAcquireMode: int8.since(2).default(0).ignorable(),
    isRenewAck: bool.since(2).default(false),
    topics: list({
      topicId: uuid,
      partitions: list({
        partitionIndex: int32,
        acknowledgementBatches: list({
          firstOffset: int64,
          lastOffset: int64,
          acknowledgeTypes: array(int8),
        }),
      }),
    }),
    forgottenTopicsData: list({
      topicId: uuid,
      partitions: array(int32),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.orNull(),
    acquisitionLockTimeoutMs: int32,
    responses: list({
      topicId: uuid,
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.orNull(),
        acknowledgeErrorCode: int16,
        acknowledgeErrorMessage: string.orNull(),
        currentLeader: struct({
          leaderId: int32,
          leaderEpoch: int32,
        }),
        records: records,
        acquiredRecords: list({
          firstOffset: int64,
          lastOffset: int64,
          deliveryCount: int16,
        }),
      }),
    }),
    nodeEndpoints: list({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.orNull(),
    }),
  },
})

export interface ShareFetchRequest extends Decoded<typeof shareFetchApi.request> {}
export interface ShareFetchResponse extends Encodable<typeof shareFetchApi.response> {}
