import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  decodeConsumerProtocol,
  decodeSubscribedTopics,
  encodeConsumerProtocol,
} from '../../../../src/records/internal/consumer-protocol.ts'

describe('consumer protocol', () => {
  it('a subscription is an int16 version and a struct', () => {
    const bytes = encodeConsumerProtocol(consumerProtocolSubscription, 0, { topics: ['t'] })
    assert.equal(bytes.toString('hex'), '0000' + '00000001' + '000174' + 'ffffffff')
    const { topics, generationId } = decodeConsumerProtocol(consumerProtocolSubscription, bytes)
    assert.deepEqual([topics, generationId], [['t'], -1])
  })

  it('a newer version is read as the newest known, and bytes after it are ignored', () => {
    const known = encodeConsumerProtocol(consumerProtocolSubscription, 3, {
      topics: ['t'],
      rackId: 'r',
    })
    const newer = Buffer.concat([known, Buffer.from('07', 'hex')])
    newer.writeInt16BE(4, 0)
    assert.equal(decodeConsumerProtocol(consumerProtocolSubscription, newer).rackId, 'r')
  })

  it('an assignment lists partitions by topic', () => {
    const assignedPartitions = [{ topic: 't', partitions: [0, 2] }]
    const userData = Buffer.from('x')
    const bytes = encodeConsumerProtocol(consumerProtocolAssignment, 3, {
      assignedPartitions,
      userData,
    })
    const decoded = decodeConsumerProtocol(consumerProtocolAssignment, bytes)
    assert.deepEqual(decoded, { assignedPartitions, userData })
  })

  it('the topics of a subscription are read without the fields of its version', () => {
    const bytes = encodeConsumerProtocol(consumerProtocolSubscription, 0, { topics: ['a', 'b'] })
    for (const version of [0, 1, 3, 9, -1]) {
      bytes.writeInt16BE(version, 0)
      assert.deepEqual(decodeSubscribedTopics(bytes), ['a', 'b'])
    }
    for (let end = 0; end < bytes.byteLength; end++) {
      assert.throws(() => decodeSubscribedTopics(bytes.subarray(0, end)), { name: 'ProtocolError' })
    }
  })

  it('a negative version and every cut are refused', () => {
    const bytes = encodeConsumerProtocol(consumerProtocolSubscription, 1, { topics: ['a', 'b'] })
    for (let end = 0; end < bytes.byteLength; end++) assertRefused(bytes.subarray(0, end))
    bytes.writeInt16BE(-1, 0)
    assertRefused(bytes)
  })
})

function assertRefused(bytes: Buffer): void {
  const decode = (): unknown => decodeConsumerProtocol(consumerProtocolSubscription, bytes)
  assert.throws(decode, { name: 'ProtocolError' })
}
