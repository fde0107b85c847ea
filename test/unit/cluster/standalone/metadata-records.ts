import { encodeMetadataRecord } from '../../../../src/records/internal/metadata-record.ts'
import { registerBrokerRecord } from '../../../../src/records/internal/node-metadata-records.ts'
import {
  accessControlEntryRecord,
  clientQuotaRecord,
  delegationTokenRecord,
  userScramCredentialRecord,
} from '../../../../src/records/internal/security-metadata-records.ts'
import {
  partitionRecord,
  topicRecord,
} from '../../../../src/records/internal/topic-metadata-records.ts'

/** Records as Apache Kafka writes them, for tests of what is read from it. */

export const UUID = {
  topic: 'c3Bvb2wtdG9waWMtaWQwMQ',
  directory: 'c3Bvb2wtZGlyZWN0b3J5MQ',
  otherDirectory: 'c3Bvb2wtZGlyZWN0b3J5Mg',
  entry: 'c3Bvb2wtYWNsLWVudHJ5MQ',
  incarnation: 'c3Bvb2wtaW5jYXJuYXRpbw',
} as const

export const aclOf = (id: string = UUID.entry): Buffer =>
  encodeMetadataRecord(accessControlEntryRecord, 0, {
    id,
    resourceType: 2,
    resourceName: 'orders',
    patternType: 3,
    principal: 'User:alice',
    host: '*',
    operation: 3,
    permissionType: 3,
  })

export const scramOf = (name: string, iterations = 4096): Buffer =>
  encodeMetadataRecord(userScramCredentialRecord, 0, {
    name,
    mechanism: 1,
    salt: Buffer.from('salt'),
    storedKey: Buffer.from('stored'),
    serverKey: Buffer.from('server'),
    iterations,
  })

export const quotaOf = (
  entity: readonly { readonly entityType: string; readonly entityName: string | null }[],
  value: number,
  remove = false,
): Buffer =>
  encodeMetadataRecord(clientQuotaRecord, 0, { entity, key: 'producer_byte_rate', value, remove })

export const tokenOf = (tokenId: string): Buffer =>
  encodeMetadataRecord(delegationTokenRecord, 0, {
    owner: 'User:alice',
    requester: 'User:alice',
    renewers: [],
    issueTimestamp: 1,
    maxTimestamp: 3,
    expirationTimestamp: 2,
    tokenId,
  })

export const brokerOf = (options: {
  readonly brokerId?: number
  readonly fenced?: boolean
  readonly logDirs?: readonly string[]
  readonly cordonedLogDirs?: readonly string[] | null
}): Buffer =>
  encodeMetadataRecord(registerBrokerRecord, 4, {
    brokerId: options.brokerId ?? 1,
    incarnationId: UUID.incarnation,
    brokerEpoch: 7,
    endPoints: [],
    features: [],
    rack: null,
    fenced: options.fenced ?? true,
    logDirs: options.logDirs ?? [UUID.directory],
    cordonedLogDirs: options.cordonedLogDirs === undefined ? [] : options.cordonedLogDirs,
  })

/** A topic of one partition. */
export const topicOf = (
  name: string,
  options: {
    readonly topicId?: string
    readonly replicas?: readonly number[]
    readonly directories?: readonly string[]
  } = {},
): Buffer[] => {
  const { topicId = UUID.topic, replicas = [1], directories = [UUID.directory] } = options
  return [
    encodeMetadataRecord(topicRecord, 0, { name, topicId }),
    encodeMetadataRecord(partitionRecord, 2, {
      partitionId: 0,
      topicId,
      replicas,
      isr: replicas,
      removingReplicas: [],
      addingReplicas: [],
      leader: replicas[0] ?? -1,
      leaderEpoch: 4,
      partitionEpoch: 6,
      directories,
    }),
  ]
}
