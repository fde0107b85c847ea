import {
  api,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  string,
  uuid,
} from '../../../schema/schema.ts'

export const txnOffsetCommitApi = api({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 6],
  flexibleSince: 3,
  request: {
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationIdOrMemberEpoch: int32.since(3).default(-1),
    memberId: string.since(3).default(''),
    groupInstanceId: string.since(3).orNull(),
    topics: list({
      name: string.until(5).ignorable(),
      topicId: uuid.since(6).ignorable(),
      partitions: list({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.since(2).default(-1).ignorable(),
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: list({
      name: string.until(5).ignorable(),
      topicId: uuid.since(6).ignorable(),
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})

export interface TxnOffsetCommitRequest extends Decoded<typeof txnOffsetCommitApi.request> {}
export interface TxnOffsetCommitResponse extends Encodable<typeof txnOffsetCommitApi.response> {}
