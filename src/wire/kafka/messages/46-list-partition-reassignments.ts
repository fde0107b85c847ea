import {
  api,
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
  struct,
} from '../../../schema/schema.ts'

const listPartitionReassignmentsTopics = struct({
  name: string,
  partitionIndexes: array(int32),
})

export const listPartitionReassignmentsApi = api({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    timeoutMs: int32.default(60_000),
    topics: array(listPartitionReassignmentsTopics).orNull(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    topics: list({
      name: string,
      partitions: list({
        partitionIndex: int32,
        replicas: array(int32),
        addingReplicas: array(int32),
        removingReplicas: array(int32),
      }),
    }),
  },
})

export interface ListPartitionReassignmentsRequest
  extends Decoded<typeof listPartitionReassignmentsApi.request> {}
export interface ListPartitionReassignmentsResponse
  extends Encodable<typeof listPartitionReassignmentsApi.response> {}
