import {
  api,
  array,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
  struct,
  uuid,
} from '../../../schema/schema.ts'

const metadataRequestTopic = struct({
  topicId: uuid.since(10).ignorable(),
  name: string.nullable(10),
})

export const metadataApi = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexibleSince: 9,
  request: {
    topics: array(metadataRequestTopic).nullable(1),
    allowAutoTopicCreation: bool.since(4).default(true),
    includeClusterAuthorizedOperations: bool.since(8).until(10),
    includeTopicAuthorizedOperations: bool.since(8),
  },
  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    brokers: list({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.since(1).orNull().ignorable(),
    }),
    clusterId: string.since(2).orNull().ignorable(),
    controllerId: int32.since(1).default(-1).ignorable(),
    topics: list({
      errorCode: int16,
      name: string.nullable(12),
      topicId: uuid.since(10).ignorable(),
      isInternal: bool.since(1).default(false).ignorable(),
      partitions: list({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.since(7).default(-1).ignorable(),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: array(int32).since(5).ignorable(),
      }),
      topicAuthorizedOperations: int32.since(8).default(-2_147_483_648),
    }),
    clusterAuthorizedOperations: int32.since(8).until(10).default(-2_147_483_648),
    errorCode: int16.since(13).ignorable(),
  },
})

export interface MetadataRequest extends Decoded<typeof metadataApi.request> {}
export interface MetadataResponse extends Encodable<typeof metadataApi.response> {}
