/** All records of `__cluster_metadata`, the log that standalone metadata is. */
import { type MetadataRecordOf, metadataRecordDecoder } from './metadata-record.ts'
import {
  brokerRegistrationChangeRecord,
  fenceBrokerRecord,
  registerBrokerRecord,
  registerControllerRecord,
  unfenceBrokerRecord,
  unregisterBrokerRecord,
  unregisterControllerRecord,
} from './node-metadata-records.ts'
import {
  accessControlEntryRecord,
  clientQuotaRecord,
  delegationTokenRecord,
  removeAccessControlEntryRecord,
  removeDelegationTokenRecord,
  removeUserScramCredentialRecord,
  userScramCredentialRecord,
} from './security-metadata-records.ts'
import {
  abortTransactionRecord,
  beginTransactionRecord,
  clearElrRecord,
  configRecord,
  endTransactionRecord,
  featureLevelRecord,
  noOpRecord,
  partitionChangeRecord,
  partitionRecord,
  producerIdsRecord,
  removeTopicRecord,
  topicRecord,
  zkMigrationStateRecord,
} from './topic-metadata-records.ts'

export const metadataRecordTypes = [
  topicRecord,
  removeTopicRecord,
  partitionRecord,
  partitionChangeRecord,
  configRecord,
  featureLevelRecord,
  producerIdsRecord,
  noOpRecord,
  clearElrRecord,
  beginTransactionRecord,
  endTransactionRecord,
  abortTransactionRecord,
  zkMigrationStateRecord,
  registerBrokerRecord,
  unregisterBrokerRecord,
  fenceBrokerRecord,
  unfenceBrokerRecord,
  brokerRegistrationChangeRecord,
  registerControllerRecord,
  unregisterControllerRecord,
  accessControlEntryRecord,
  removeAccessControlEntryRecord,
  userScramCredentialRecord,
  removeUserScramCredentialRecord,
  clientQuotaRecord,
  delegationTokenRecord,
  removeDelegationTokenRecord,
] as const

export type MetadataRecord = MetadataRecordOf<(typeof metadataRecordTypes)[number]>

/** Decodes a value of `__cluster_metadata`; see `metadataRecordDecoder`. */
export const decodeMetadataRecord: (value: Buffer) => MetadataRecord =
  metadataRecordDecoder(metadataRecordTypes)
