/** KRaft metadata records about access, credentials, tokens and quotas. */
import {
  array,
  bool,
  bytes,
  float64,
  int8,
  int32,
  int64,
  list,
  string,
  uuid,
} from '../../schema/schema.ts'
import { metadataRecord } from './metadata-record.ts'

export const accessControlEntryRecord = metadataRecord({
  type: 18,
  name: 'AccessControlEntryRecord',
  versions: [0, 0],
  fields: {
    id: uuid,
    resourceType: int8,
    resourceName: string,
    patternType: int8,
    principal: string,
    host: string,
    operation: int8,
    permissionType: int8,
  },
})

export const removeAccessControlEntryRecord = metadataRecord({
  type: 19,
  name: 'RemoveAccessControlEntryRecord',
  versions: [0, 0],
  fields: {
    id: uuid,
  },
})

export const userScramCredentialRecord = metadataRecord({
  type: 11,
  name: 'UserScramCredentialRecord',
  versions: [0, 0],
  fields: {
    name: string,
    mechanism: int8,
    salt: bytes,
    storedKey: bytes,
    serverKey: bytes,
    iterations: int32,
  },
})

export const removeUserScramCredentialRecord = metadataRecord({
  type: 22,
  name: 'RemoveUserScramCredentialRecord',
  versions: [0, 0],
  fields: {
    name: string,
    mechanism: int8,
  },
})

export const clientQuotaRecord = metadataRecord({
  type: 14,
  name: 'ClientQuotaRecord',
  versions: [0, 0],
  fields: {
    entity: list({
      entityType: string,
      entityName: string.nullable(),
    }),
    key: string,
    value: float64,
    remove: bool,
  },
})

export const delegationTokenRecord = metadataRecord({
  type: 10,
  name: 'DelegationTokenRecord',
  versions: [0, 0],
  fields: {
    owner: string,
    requester: string,
    renewers: array(string),
    issueTimestamp: int64,
    maxTimestamp: int64,
    expirationTimestamp: int64,
    tokenId: string,
  },
})

export const removeDelegationTokenRecord = metadataRecord({
  type: 26,
  name: 'RemoveDelegationTokenRecord',
  versions: [0, 0],
  fields: {
    tokenId: string,
  },
})
