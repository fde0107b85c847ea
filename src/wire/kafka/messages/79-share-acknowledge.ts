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
  string,
  struct,
  uuid,
} from '../../../schema/schema.ts'

export const shareAcknowledgeApi = api({
  key: 79,
  name: 'ShareAcknowledge',
  versions: [1, 2],
  flexibleSince: 0,
  request: {
    groupId: string.orNull(),
    memberId: string.nullable(),
    shareSessionEpoch: int32,
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
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.orNull(),
    acquisitionLockTimeoutMs: int32.since(2).ignorable(),
    responses: list({
      topicId: uuid,
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.orNull(),
        currentLeader: struct({
          leaderId: int32,
          leaderEpoch: int32,
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

export interface ShareAcknowledgeRequest extends Decoded<typeof shareAcknowledgeApi.request> {}
export interface ShareAcknowledgeResponse extends Encodable<typeof shareAcknowledgeApi.response> {}
