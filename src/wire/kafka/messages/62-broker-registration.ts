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
  uint16,
  uuid,
} from '../../../schema/schema.ts'

export const brokerRegistrationApi = api({
  key: 62,
  name: 'BrokerRegistration',
  versions: [0, 4],
  flexibleSince: 0,
  request: {
    brokerId: int32,
    clusterId: string,
    incarnationId: uuid,
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
    rack: string.nullable(),
    isMigratingZkBroker: bool.since(1).default(false),
    logDirs: array(uuid).since(2).ignorable(),
    previousBrokerEpoch: int64.since(3).default(-1).ignorable(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    brokerEpoch: int64.default(-1),
  },
})

export interface BrokerRegistrationRequest extends Decoded<typeof brokerRegistrationApi.request> {}
export interface BrokerRegistrationResponse
  extends Encodable<typeof brokerRegistrationApi.response> {}
