import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TentativeSequences } from '../../../../src/broker/topics/tentative-sequences.ts'

describe('sequences that were refused for now', () => {
  it('hold later ones of the same epoch back, until the transaction begins', () => {
    const tentative = new TentativeSequences()
    tentative.refused(1, 0, 5)
    tentative.refused(1, 0, 3)
    tentative.refused(1, 0, 4)
    assert.equal(tentative.isOutOfOrder(1, 0, 3), false)
    assert.equal(tentative.isOutOfOrder(1, 0, 4), true)
    assert.equal(tentative.isOutOfOrder(2, 0, 4), false)
    tentative.begun(1)
    assert.equal(tentative.isOutOfOrder(1, 0, 4), false)
  })

  it('of a newer epoch replace those of an older one, and not the other way round', () => {
    const tentative = new TentativeSequences()
    tentative.refused(1, 1, 5)
    tentative.refused(1, 0, 0)
    assert.equal(tentative.isOutOfOrder(1, 1, 6), true)
    assert.equal(tentative.isOutOfOrder(1, 0, 6), false)
    tentative.refused(1, 2, 9)
    assert.equal(tentative.isOutOfOrder(1, 2, 10), true)
    assert.equal(tentative.isOutOfOrder(1, 1, 6), false)
  })

  it('are kept of the last thousand producers', () => {
    const tentative = new TentativeSequences()
    for (let producerId = 0; producerId <= 1000; producerId++) tentative.refused(producerId, 0, 0)
    assert.equal(tentative.isOutOfOrder(0, 0, 1), false)
    assert.equal(tentative.isOutOfOrder(1, 0, 1), true)
    assert.equal(tentative.isOutOfOrder(1000, 0, 1), true)
  })
})
