import {
  api,
  array,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  list,
  string,
  struct,
} from '../../../schema/schema.ts'

const topicPartitions = struct({
  topic: string,
  partitions: array(int32),
})

export const electLeadersApi = api({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    electionType: int8.since(1),
    topicPartitions: array(topicPartitions).nullable(),
    timeoutMs: int32.default(60_000),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(1),
    replicaElectionResults: list({
      topic: string,
      partitionResult: list({
        partitionId: int32,
        errorCode: int16,
        errorMessage: string.nullable(),
      }),
    }),
  },
})

export interface ElectLeadersRequest extends Decoded<typeof electLeadersApi.request> {}
export interface ElectLeadersResponse extends Encodable<typeof electLeadersApi.response> {}
