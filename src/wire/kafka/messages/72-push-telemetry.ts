import {
  api,
  bool,
  bytes,
  type Decoded,
  type Encodable,
  int8,
  int16,
  int32,
  uuid,
} from '../../../schema/schema.ts'

export const pushTelemetryApi = api({
  key: 72,
  name: 'PushTelemetry',
  versions: [0, 0],
  flexibleSince: 0,
  request: {
    clientInstanceId: uuid,
    subscriptionId: int32,
    terminating: bool,
    compressionType: int8,
    metrics: bytes,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
  },
})

export interface PushTelemetryRequest extends Decoded<typeof pushTelemetryApi.request> {}
export interface PushTelemetryResponse extends Encodable<typeof pushTelemetryApi.response> {}
