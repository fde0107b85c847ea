import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KeptRecords } from '../../../../src/cluster/standalone/kept-records.ts'
import { encodeMetadataRecord } from '../../../../src/records/internal/metadata-record.ts'
import { decodeMetadataRecord } from '../../../../src/records/internal/metadata-records.ts'
import {
  brokerRegistrationChangeRecord,
  fenceBrokerRecord,
  registerControllerRecord,
  unfenceBrokerRecord,
  unregisterBrokerRecord,
  unregisterControllerRecord,
} from '../../../../src/records/internal/node-metadata-records.ts'
import {
  removeAccessControlEntryRecord,
  removeDelegationTokenRecord,
  removeUserScramCredentialRecord,
} from '../../../../src/records/internal/security-metadata-records.ts'
import { aclOf, brokerOf, quotaOf, scramOf, tokenOf, UUID } from './metadata-records.ts'

/** What is kept of these records, as it goes into a snapshot. */
function keptOf(...values: Buffer[]): KeptRecords {
  const kept = new KeptRecords()
  for (const value of values) {
    // The buffer that records are read into is used again.
    const borrowed = Buffer.from(value)
    kept.apply(decodeMetadataRecord(borrowed), borrowed)
    borrowed.fill(0)
  }
  return kept
}

const hex = (values: readonly Buffer[]): string[] => values.map((value) => value.toString('hex'))

const USER = { entityType: 'user', entityName: 'alice' }
const CLIENT = { entityType: 'client-id', entityName: null }

describe('records kept for Apache Kafka', () => {
  it('are the same bytes afterwards: ACLs, SCRAM credentials, tokens, quotas', () => {
    const security = [aclOf(), scramOf('alice'), tokenOf('t1')]
    const quota = quotaOf([USER, CLIENT], 1024.5)
    const kept = keptOf(...security, quota)
    assert.deepEqual(hex(kept.securityRecords()), hex(security))
    assert.deepEqual(hex(kept.quotaRecords()), hex([quota]))
    assert.deepEqual(kept.counts, {
      accessControlEntries: 1,
      scramCredentials: 1,
      clientQuotas: 1,
      delegationTokens: 1,
    })
  })

  it('are replaced by a newer one for the same thing', () => {
    const kept = keptOf(
      scramOf('alice'),
      scramOf('alice', 8192),
      quotaOf([USER, CLIENT], 1),
      quotaOf([CLIENT, USER], 2),
    )
    assert.deepEqual(hex(kept.securityRecords()), hex([scramOf('alice', 8192)]))
    assert.deepEqual(hex(kept.quotaRecords()), hex([quotaOf([CLIENT, USER], 2)]))
  })

  it('go when a record removes them', () => {
    const kept = keptOf(
      aclOf(),
      scramOf('alice'),
      scramOf('bob'),
      tokenOf('t1'),
      quotaOf([USER], 1),
      encodeMetadataRecord(removeAccessControlEntryRecord, 0, { id: UUID.entry }),
      encodeMetadataRecord(removeUserScramCredentialRecord, 0, { name: 'alice', mechanism: 1 }),
      encodeMetadataRecord(removeDelegationTokenRecord, 0, { tokenId: 't1' }),
      quotaOf([USER], 0, true),
    )
    assert.deepEqual(hex(kept.securityRecords()), hex([scramOf('bob')]))
    assert.deepEqual(kept.quotaRecords(), [])
  })
})

describe('registrations kept for Apache Kafka (KIP-631)', () => {
  const change = (fields: object): Buffer =>
    encodeMetadataRecord(brokerRegistrationChangeRecord, 3, {
      brokerId: 1,
      brokerEpoch: 7,
      ...fields,
    })
  const registrationOf = (kept: KeptRecords, metadataVersion = 33) => {
    const [record] = kept.nodeRecords(metadataVersion).map(decodeMetadataRecord)
    assert.ok(record?.name === 'RegisterBrokerRecord')
    return record
  }

  it('carry the changes that were made to them', () => {
    const stopped = keptOf(
      brokerOf({ fenced: false }),
      change({ inControlledShutdown: 1 }),
      change({ fenced: 1, logDirs: [UUID.otherDirectory] }),
    )
    const { version, value } = registrationOf(stopped)
    assert.equal(version, 4)
    assert.deepEqual(
      [value.fenced, value.inControlledShutdown, value.logDirs, value.brokerEpoch],
      [true, true, [UUID.otherDirectory], 7],
    )
    assert.equal(registrationOf(keptOf(brokerOf({}), change({ fenced: -1 }))).value.fenced, false)
  })

  it('follow the older records that fence and unfence', () => {
    const unfenced = [
      brokerOf({}),
      encodeMetadataRecord(unfenceBrokerRecord, 0, { id: 1, epoch: 7 }),
    ]
    assert.equal(registrationOf(keptOf(...unfenced)).value.fenced, false)
    const fence = encodeMetadataRecord(fenceBrokerRecord, 0, { id: 1, epoch: 7 })
    assert.equal(registrationOf(keptOf(...unfenced, fence)).value.fenced, true)
  })

  it('are written in the version that the metadata.version asks for', () => {
    const kept = keptOf(brokerOf({ cordonedLogDirs: null }))
    const versions = [33, 29, 17, 16, 8, 7].map((level) => registrationOf(kept, level).version)
    assert.deepEqual(versions, [4, 3, 3, 2, 2, 1])
  })

  it('are fenced by the node that takes over, once', () => {
    const kept = keptOf(brokerOf({ fenced: false }), brokerOf({ brokerId: 2 }))
    const fences = kept.fences()
    assert.deepEqual(
      fences.map((fence) => decodeMetadataRecord(fence).value),
      [
        {
          brokerId: 1,
          brokerEpoch: 7,
          fenced: 1,
          inControlledShutdown: 0,
          logDirs: [],
          cordonedLogDirs: null,
        },
      ],
    )
    for (const fence of fences) kept.apply(decodeMetadataRecord(fence), fence)
    assert.deepEqual(kept.fences(), [])
  })

  it('go when the node is unregistered', () => {
    const controller = encodeMetadataRecord(registerControllerRecord, 0, {
      controllerId: 1,
      incarnationId: UUID.incarnation,
      zkMigrationReady: false,
      endPoints: [],
      features: [],
    })
    const kept = keptOf(controller, brokerOf({}))
    assert.deepEqual(hex(kept.nodeRecords(33)).includes(controller.toString('hex')), true)
    for (const value of [
      encodeMetadataRecord(unregisterBrokerRecord, 0, { brokerId: 1, brokerEpoch: 7 }),
      encodeMetadataRecord(unregisterControllerRecord, 0, { controllerId: 1 }),
    ]) {
      kept.apply(decodeMetadataRecord(value), value)
    }
    assert.deepEqual(kept.nodeRecords(33), [])
  })
})
