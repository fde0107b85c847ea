import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { consumerGroupMemberMetadata } from '../../../../src/records/internal/consumer-group-records.ts'
import {
  type CoordinatorRecordType,
  coordinatorRecordDecoder,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../../src/records/internal/coordinator-record.ts'
import { offsetCommit } from '../../../../src/records/internal/group-records.ts'
import {
  decodeOffsetsRecord,
  offsetsRecordTypes,
} from '../../../../src/records/internal/offsets-records.ts'
import {
  decodeShareRecord,
  shareRecordTypes,
} from '../../../../src/records/internal/share-records.ts'
import {
  decodeTransactionRecord,
  transactionLog,
  transactionRecordTypes,
} from '../../../../src/records/internal/transaction-records.ts'
import { vectorsOf } from '../../../vectors/vectors.ts'

const key = encodeCoordinatorKey(offsetCommit, { group: 'g', topic: 't', partition: 1 })

describe('records of the coordinators', () => {
  it('of every type are framed as Kafka does', () => {
    for (const type of offsetsRecordTypes) assertFramed(type)
    for (const type of shareRecordTypes) assertFramed(type)
    for (const type of transactionRecordTypes) assertFramed(type)
  })

  it('a key is an int16 type and a struct', () => {
    assert.equal(key.toString('hex'), '0001000167000174' + '00000001')
    const other = encodeCoordinatorKey(transactionLog, { transactionalId: 't' })
    assert.equal(other.toString('hex'), '0000000174')
  })

  it('no value is a tombstone', () => {
    const expected = { name: 'OffsetCommit', key: { group: 'g', topic: 't', partition: 1 } }
    assert.deepEqual(decodeOffsetsRecord(key, null), { ...expected, value: null })
  })

  it('the name tells the types apart, and the value is in its version', () => {
    const fields = { offset: 7, metadata: 'm', commitTimestamp: 9, expireTimestamp: 11 }
    const value = encodeCoordinatorValue(offsetCommit, 1, fields)
    assert.equal(value.readInt16BE(0), 1)
    const record = decodeOffsetsRecord(key, value)
    assert.ok(record?.name === 'OffsetCommit')
    assert.deepEqual([record.value?.offset, record.value?.expireTimestamp], [7, 11])
    assert.equal(record.value?.leaderEpoch, -1)
  })

  it('a type that is not known is left to newer brokers', () => {
    assert.equal(decodeOffsetsRecord(Buffer.from('7fff00', 'hex'), null), undefined)
    assert.equal(decodeShareRecord(Buffer.from('0005', 'hex'), null), undefined)
  })

  it('a key without a type, a newer value and left bytes are refused', () => {
    const value = Buffer.from('0009', 'hex')
    assertRefused(() => decodeOffsetsRecord(Buffer.alloc(1), null), 'record key has no type')
    assertRefused(
      () => decodeOffsetsRecord(key, value),
      'OffsetCommitValue has versions 0 to 4, not 9',
    )
    const longer = Buffer.concat([key, Buffer.alloc(1)])
    assertRefused(() => decodeOffsetsRecord(longer, null), 'bytes left after the message')
    assertRefused(() => decodeTransactionRecord(Buffer.alloc(3), null), 'message is truncated')
  })

  it('after a record that could not be written the next one is clean', () => {
    const metadata = 'x'.repeat(40_000)
    const fields = { offset: 1, metadata, commitTimestamp: 2 }
    assert.throws(() => encodeCoordinatorValue(offsetCommit, 4, fields), RangeError)
    assert.throws(() => encodeCoordinatorValue(offsetCommit, 9, fields), RangeError)
    const value = encodeCoordinatorValue(offsetCommit, 4, { ...fields, metadata: '' })
    assert.equal(value.byteLength, 2 + 8 + 4 + 1 + 8 + 1)
  })

  it('a tagged struct says whether it is null, also when it is (KIP-848)', () => {
    const member = {
      instanceId: null,
      rackId: null,
      clientId: '',
      clientHost: '',
      subscribedTopicNames: [],
      subscribedTopicRegex: null,
      serverAssignor: null,
    }
    const encode = (classic: Classic): string =>
      encodeCoordinatorValue(consumerGroupMemberMetadata, 0, {
        ...member,
        classicMemberMetadata: classic,
      }).toString('hex')
    const body = '0000' + '00000101' + '0100ffffffff00'
    assert.equal(encode(null), `${body}01000100`)
    assert.equal(encode({ sessionTimeoutMs: 0, supportedProtocols: [] }), `${body}00`)
    assert.equal(
      encode({ sessionTimeoutMs: 5, supportedProtocols: [] }),
      `${body}01000701000000050100`,
    )
  })
})

type Classic = { sessionTimeoutMs: number; supportedProtocols: [] } | null

function assertFramed<T extends CoordinatorRecordType>(type: T): void {
  const decode = coordinatorRecordDecoder([type] as readonly CoordinatorRecordType[])
  const [framedKey] = vectorsOf(type.key.name, 'framed')
  assert.ok(framedKey !== undefined)
  for (const { version, bytes } of vectorsOf(type.value.name, 'framed')) {
    const record = decode(framedKey.bytes, bytes)
    assert.ok(record !== undefined && record.value !== null)
    assert.deepEqual(encodeCoordinatorKey(type, record.key as never), framedKey.bytes)
    assert.deepEqual(encodeCoordinatorValue(type, version, record.value as never), bytes)
  }
}

function assertRefused(action: () => unknown, message: string): void {
  assert.throws(action, { name: 'ProtocolError', message })
}
