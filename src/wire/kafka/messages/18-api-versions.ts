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
} from '../../../schema/schema.ts'

const supportedFeatureKey = struct({
  name: string,
  minVersion: int16,
  maxVersion: int16,
})

const finalizedFeatureKey = struct({
  name: string,
  maxVersionLevel: int16,
  minVersionLevel: int16,
})

export const apiVersionsApi = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    clientSoftwareName: string.since(3).ignorable(),
    clientSoftwareVersion: string.since(3).ignorable(),
    clusterId: string.since(5).orNull().ignorable(),
    nodeId: int32.since(5).default(-1).ignorable(),
  },
  response: {
    errorCode: int16,
    apiKeys: list({
      apiKey: int16,
      minVersion: int16,
      maxVersion: int16,
    }),
    throttleTimeMs: int32.since(1).ignorable(),
    supportedFeatures: array(supportedFeatureKey).since(3).tagged(0).ignorable(),
    finalizedFeaturesEpoch: int64.since(3).default(-1).tagged(1).ignorable(),
    finalizedFeatures: array(finalizedFeatureKey).since(3).tagged(2).ignorable(),
    zkMigrationReady: bool.since(3).default(false).tagged(3).ignorable(),
  },
})

export interface ApiVersionsRequest extends Decoded<typeof apiVersionsApi.request> {}
export interface ApiVersionsResponse extends Encodable<typeof apiVersionsApi.response> {}
