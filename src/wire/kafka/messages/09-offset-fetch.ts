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
  uuid,
} from '../../../schema/schema.ts'

const offsetFetchRequestTopic = struct({
  name: string,
  partitionIndexes: array(int32),
})

const offsetFetchRequestTopics = struct({
  name: string.until(9).ignorable(),
  topicId: uuid.since(10).ignorable(),
  partitionIndexes: array(int32),
})

const offsetFetchRequestGroup = struct({
  groupId: string,
  memberId: string.since(9).orNull().ignorable(),
  memberEpoch: int32.since(9).default(-1).ignorable(),
  topics: array(offsetFetchRequestTopics).nullable(),
})

const offsetFetchResponseTopic = struct({
  name: string,
  partitions: list({
    partitionIndex: int32,
    committedOffset: int64,
    committedLeaderEpoch: int32.since(5).default(-1).ignorable(),
    metadata: string.nullable(),
    errorCode: int16,
  }),
})

const offsetFetchResponseGroup = struct({
  groupId: string,
  topics: list({
    name: string.until(9).ignorable(),
    topicId: uuid.since(10).ignorable(),
    partitions: list({
      partitionIndex: int32,
      committedOffset: int64,
      committedLeaderEpoch: int32.default(-1),
      metadata: string.nullable(),
      errorCode: int16,
    }),
  }),
  errorCode: int16.default(0),
})

export const offsetFetchApi = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexibleSince: 6,
  request: {
    groupId: string.until(7),
    topics: array(offsetFetchRequestTopic).until(7).nullable(2),
    groups: array(offsetFetchRequestGroup).since(8),
    requireStable: bool.since(7).default(false),
  },
  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    topics: array(offsetFetchResponseTopic).until(7),
    errorCode: int16.since(2).until(7).default(0).ignorable(),
    groups: array(offsetFetchResponseGroup).since(8),
  },
})

export interface OffsetFetchRequest extends Decoded<typeof offsetFetchApi.request> {}
export interface OffsetFetchResponse extends Encodable<typeof offsetFetchApi.response> {}
