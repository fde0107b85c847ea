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

export const incrementalAlterConfigsApi = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    resources: list({
      resourceType: int8,
      resourceName: string,
      configs: list({
        name: string,
        configOperation: int8,
        value: string.nullable(),
      }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    responses: list({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
    }),
  },
})

export interface IncrementalAlterConfigsRequest
  extends Decoded<typeof incrementalAlterConfigsApi.request> {}
export interface IncrementalAlterConfigsResponse
  extends Encodable<typeof incrementalAlterConfigsApi.response> {}
