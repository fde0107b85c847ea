import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { partitionForKey } from '../../../../src/broker/coordinator/internal-topics.ts'

describe('the partition of an internal topic that owns a key', () => {
  /** Utils.abs(key.hashCode()) % count of Kafka 4.4.0, computed by Java. */
  const VECTORS: readonly (readonly [key: string, of4: number, of50: number])[] = [
    ['classic-readers', 3, 25],
    ['consumer-readers', 1, 49],
    ['group', 3, 47],
    ['polygenelubricants', 0, 0],
    ['', 0, 0],
    ['übung', 0, 10],
  ]
  for (const [key, of4, of50] of VECTORS) {
    it(`of "${key}" is ${of4} of 4, ${of50} of 50`, () => {
      assert.equal(partitionForKey(key, 4), of4)
      assert.equal(partitionForKey(key, 50), of50)
    })
  }
})
