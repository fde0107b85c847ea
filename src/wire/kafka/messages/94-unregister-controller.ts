import { api, type Decoded, type Encodable, int16, int32, string } from '../../../schema/schema.ts'

export const unregisterControllerApi = api({
  key: 94,
  name: 'UnregisterController',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    controllerId: int32,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
  },
})

export interface UnregisterControllerRequest
  extends Decoded<typeof unregisterControllerApi.request> {}
export interface UnregisterControllerResponse
  extends Encodable<typeof unregisterControllerApi.response> {}
