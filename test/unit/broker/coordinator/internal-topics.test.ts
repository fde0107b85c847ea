import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { partitionForKey } from '../../../../src/broker/coordinator/internal-topics.ts'

describe('the partition that owns a key', () => {
  it('is that of Kafka: String.hashCode without its sign, modulo the partitions', () => {
    // Values of String.hashCode as the Java documentation's formula gives them by hand.
    const hashes: [string, number][] = [
      ['', 0],
      ['a', 97],
      ['ab', 97 * 31 + 98],
      ['hello', 99_162_322],
      ['polygenelubricants', -2_147_483_648],
    ]
    for (const [key, hash] of hashes) {
      assert.equal(partitionForKey(key, 50), (hash & 0x7fff_ffff) % 50, key)
    }
  })

  it('counts UTF-16 units, as Java does', () => {
    const [high, low] = [0xd83d, 0xde00]
    assert.equal(partitionForKey('😀', 1_000_003), (high * 31 + low) % 1_000_003)
  })
})
