import {
  api,
  bool,
  type Decoded,
  type Encodable,
  int16,
  int32,
  list,
  string,
  uint16,
  uuid,
} from '../../../schema/schema.ts'

export const controllerRegistrationApi = api({
  key: 70,
  name: 'ControllerRegistration',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: bool,
    listeners: list({
      name: string,
      host: string,
      port: uint16,
      securityProtocol: int16,
    }),
    features: list({
      name: string,
      minSupportedVersion: int16,
      maxSupportedVersion: int16,
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
  },
})

export interface ControllerRegistrationRequest
  extends Decoded<typeof controllerRegistrationApi.request> {}
export interface ControllerRegistrationResponse
  extends Encodable<typeof controllerRegistrationApi.response> {}
