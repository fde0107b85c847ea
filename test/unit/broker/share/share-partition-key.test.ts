import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  coordinatorKeyOf,
  parseCoordinatorKey,
} from '../../../../src/broker/share/coordinator/share-partition-key.ts'

describe('the key of a share partition (KIP-932)', () => {
  it('is group, topic id and partition, and the group may hold colons', () => {
    for (const groupId of ['g', 'a:b', ':x:']) {
      const key = { groupId, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partition: 12 }
      assert.deepEqual(parseCoordinatorKey(coordinatorKeyOf(key)), key)
    }
  })

  it('is refused without a group, a topic id or a number', () => {
    for (const text of ['', 'g', 'g:1', ':AAAAAAAAAAAAAAAAAAAAAQ:1', 'g:short:1']) {
      assert.equal(parseCoordinatorKey(text), null, text)
    }
    assert.equal(parseCoordinatorKey('g:AAAAAAAAAAAAAAAAAAAAAQ:x'), null)
  })
})
