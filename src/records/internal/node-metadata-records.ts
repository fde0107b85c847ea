/** KRaft metadata records about brokers and controllers. */
import {
  array,
  bool,
  int8,
  int16,
  int32,
  int64,
  list,
  string,
  uint16,
  uuid,
} from '../../schema/schema.ts'
import { metadataRecord } from './metadata-record.ts'

export const registerBrokerRecord = metadataRecord({
  type: 0,
  name: 'RegisterBrokerRecord',
  versions: [0, 4],
  fields: {
    brokerId: int32,
    isMigratingZkBroker: bool.since(2).default(false),
    incarnationId: uuid,
    brokerEpoch: int64,
    endPoints: list({
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
    fenced: bool.default(true),
    inControlledShutdown: bool.since(1).default(false),
    logDirs: array(uuid).since(3).tagged(0),
    cordonedLogDirs: array(uuid).since(4).orNull().tagged(1),
  },
})

export const unregisterBrokerRecord = metadataRecord({
  type: 1,
  name: 'UnregisterBrokerRecord',
  versions: [0, 0],
  fields: {
    brokerId: int32,
    brokerEpoch: int64,
  },
})

export const fenceBrokerRecord = metadataRecord({
  type: 7,
  name: 'FenceBrokerRecord',
  versions: [0, 0],
  fields: {
    id: int32,
    epoch: int64,
  },
})

export const unfenceBrokerRecord = metadataRecord({
  type: 8,
  name: 'UnfenceBrokerRecord',
  versions: [0, 0],
  fields: {
    id: int32,
    epoch: int64,
  },
})

export const brokerRegistrationChangeRecord = metadataRecord({
  type: 17,
  name: 'BrokerRegistrationChangeRecord',
  versions: [0, 3],
  fields: {
    brokerId: int32,
    brokerEpoch: int64,
    fenced: int8.tagged(0),
    inControlledShutdown: int8.since(1).tagged(1),
    logDirs: array(uuid).since(2).tagged(2),
    cordonedLogDirs: array(uuid).since(3).orNull().tagged(3),
  },
})

export const registerControllerRecord = metadataRecord({
  type: 27,
  name: 'RegisterControllerRecord',
  versions: [0, 0],
  fields: {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: bool,
    endPoints: list({
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
})

export const unregisterControllerRecord = metadataRecord({
  type: 29,
  name: 'UnregisterControllerRecord',
  versions: [0, 0],
  fields: {
    controllerId: int32,
  },
})
