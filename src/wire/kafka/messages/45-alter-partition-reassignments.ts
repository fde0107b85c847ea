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
} from '../../../schema/schema.ts'

export const alterPartitionReassignmentsApi = api({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    timeoutMs: int32.default(60_000),
    allowReplicationFactorChange: bool.since(1).default(true),
    topics: list({
      name: string,
      partitions: list({
        partitionIndex: int32,
        replicas: array(int32).orNull(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    allowReplicationFactorChange: bool.since(1).default(true).ignorable(),
    errorCode: int16,
    errorMessage: string.nullable(),
    responses: list({
      name: string,
      partitions: list({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.nullable(),
      }),
    }),
  },
})

export interface AlterPartitionReassignmentsRequest
  extends Decoded<typeof alterPartitionReassignmentsApi.request> {}
export interface AlterPartitionReassignmentsResponse
  extends Encodable<typeof alterPartitionReassignmentsApi.response> {}
