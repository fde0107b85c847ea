import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Partitioners } from 'kafkajs'
import { murmur2, partitionForRecordKey } from '../../../src/app/embedded-partitioner.ts'

describe('the partition of a key', () => {
  it('hashes as the Java client does', () => {
    // Values of UtilsTest.testMurmur2 of Apache Kafka.
    assert.equal(murmur2(Buffer.from('21')), -973932308)
    assert.equal(murmur2(Buffer.from('foobar')), -790332482)
    assert.equal(murmur2(Buffer.from('a-little-bit-long-string')), -985981536)
    assert.equal(murmur2(Buffer.from('abc')), 479470107)
  })

  it('is the one that another client library chooses', () => {
    const choose = Partitioners.DefaultPartitioner()
    const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({
      partitionId,
      leader: 1,
      partitionErrorCode: 0,
      replicas: [1],
      isr: [1],
    }))
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const key = Buffer.from(bytes)
        const message = { key, value: null }
        const expected = choose({ topic: 't', partitionMetadata, message })
        assert.equal(partitionForRecordKey(key, 7), expected)
      }),
    )
  })
})
