import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinkedList, type ListNode } from '../../../src/base/linked-list.ts'

test('a list holds what was added and not yet removed, first come first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), (steps) => {
      const list = new LinkedList<number>()
      const kept: ListNode<number>[] = []
      for (const [number, step] of steps.entries()) {
        const node = kept[step]
        if (node === undefined) {
          kept.push(list.add(number))
          continue
        }
        kept.splice(step, 1)
        list.remove(node)
        list.remove(node)
      }
      assert.deepEqual(list.nodes(), kept)
      assert.equal(list.isEmpty, kept.length === 0)
    }),
  )
})

test('a node tells that it was removed, also to one who took the list before', () => {
  const list = new LinkedList<string>()
  list.add('first')
  const second = list.add('second')
  const nodes = list.nodes()
  list.remove(second)
  assert.deepEqual(
    nodes.filter(({ isListed }) => isListed).map(({ item }) => item),
    ['first'],
  )
  assert.equal(second.previous, null, 'a removed node keeps no other alive')
})
