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
} from '../../../schema/schema.ts'

const updatableFeatureResult = struct({
  feature: string,
  errorCode: int16,
  errorMessage: string.nullable(),
})

export const updateFeaturesApi = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    timeoutMs: int32.default(60_000),
    featureUpdates: list({
      feature: string,
      maxVersionLevel: int16,
      allowDowngrade: bool.until(0),
      upgradeType: int8.since(1).default(1),
    }),
    validateOnly: bool.since(1).default(false),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    results: array(updatableFeatureResult).until(1).ignorable(),
  },
})

export interface UpdateFeaturesRequest extends Decoded<typeof updateFeaturesApi.request> {}
export interface UpdateFeaturesResponse extends Encodable<typeof updateFeaturesApi.response> {}
