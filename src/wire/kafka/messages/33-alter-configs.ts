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

export const alterConfigsApi = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    resources: list({
      resourceType: int8,
      resourceName: string,
      configs: list({
        name: string,
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

export interface AlterConfigsRequest extends Decoded<typeof alterConfigsApi.request> {}
export interface AlterConfigsResponse extends Encodable<typeof alterConfigsApi.response> {}
