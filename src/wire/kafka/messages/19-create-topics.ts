import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  list,
  string,
  struct,
  uuid,
} from '../../../schema/schema.ts'

const creatableTopicConfigs = struct({
  name: string,
  value: string.nullable(),
  readOnly: bool,
  configSource: int8.default(-1),
  isSensitive: bool,
})

export const createTopicsApi = api({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexibleSince: 5,
  request: {
    topics: list({
      name: string,
      numPartitions: int32,
      replicationFactor: int16,
      assignments: list({
        partitionIndex: int32,
        brokerIds: array(int32),
      }),
      configs: list({
        name: string,
        value: string.nullable(),
      }),
    }),
    timeoutMs: int32.default(60_000),
    validateOnly: bool.default(false),
  },
  response: {
    throttleTimeMs: int32,
    topics: list({
      name: string,
      topicId: uuid.since(7).ignorable(),
      errorCode: int16,
      errorMessage: string.nullable(),
      topicConfigErrorCode: int16.since(5).tagged(0).ignorable(),
      numPartitions: int32.since(5).default(-1).ignorable(),
      replicationFactor: int16.since(5).default(-1).ignorable(),
      configs: array(creatableTopicConfigs).since(5).nullable().ignorable(),
    }),
  },
})

export interface CreateTopicsRequest extends Decoded<typeof createTopicsApi.request> {}
export interface CreateTopicsResponse extends Encodable<typeof createTopicsApi.response> {}
