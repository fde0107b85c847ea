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
} from '../../../schema/schema.ts'

export const listConfigResourcesApi = api({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    resourceTypes: array(int8).since(1),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    configResources: list({
      resourceName: string,
      resourceType: int8.since(1).default(16).ignorable(),
    }),
  },
})

export interface ListConfigResourcesRequest
  extends Decoded<typeof listConfigResourcesApi.request> {}
export interface ListConfigResourcesResponse
  extends Encodable<typeof listConfigResourcesApi.response> {}
