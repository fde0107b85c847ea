import {
  api,
  bool,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  list,
  string,
} from '../../../schema/schema.ts'

export const describeClusterApi = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    includeClusterAuthorizedOperations: bool,
    endpointType: int8.since(1).default(1),
    includeFencedBrokers: bool.since(2),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.orNull(),
    endpointType: int8.since(1).default(1),
    clusterId: string,
    controllerId: int32.default(-1),
    brokers: list({
      brokerId: int32,
      host: string,
      port: int32,
      rack: string.orNull(),
      isFenced: bool.since(2),
    }),
    clusterAuthorizedOperations: int32.default(-2_147_483_648),
  },
})

export interface DescribeClusterRequest extends Decoded<typeof describeClusterApi.request> {}
export interface DescribeClusterResponse extends Encodable<typeof describeClusterApi.response> {}
