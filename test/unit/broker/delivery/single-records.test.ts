import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DeliveryState } from '../../../../src/broker/delivery/delivery-state.ts'
import { DeliveryWindow } from '../../../../src/broker/delivery/delivery-window.ts'

const LOCK_MS = 100

/** A window of which somebody has records 1 to 10, all but the hole at 5 and 6. */
function taken(maxDeliveryCount = 3): DeliveryWindow {
  const limits = {
    maxInFlightCount: Number.POSITIVE_INFINITY,
    maxDeliveryCount,
    lockDurationMs: () => LOCK_MS,
    hasDeadLetters: false,
  }
  const window = DeliveryWindow.restore(1, [], () => limits)
  for (const [firstOffset, lastOffset] of [
    [1, 4],
    [7, 10],
  ] as const) {
    const request = {
      owner: 'a',
      fetchOffset: firstOffset,
      batches: [{ firstOffset, lastOffset }],
      isRecordLimit: false,
      batchSize: 100,
      maxRecordCount: 100,
    }
    window.acquire(request, 1)
  }
  return window
}

function one(offset: number) {
  return { firstOffset: offset, lastOffset: offset }
}

describe('single records of a delivery window', () => {
  it('are finished whoever has them, and the start moves over a hole', () => {
    const window = taken()
    window.finish(one(2), true)
    assert.equal(window.startOffset, 1)
    assert.equal(window.openRecord(2), null)
    window.finish({ firstOffset: 1, lastOffset: 4 }, true)
    assert.equal(window.startOffset, 7)
    window.finish({ firstOffset: 1, lastOffset: 100 }, false)
    assert.equal(window.startOffset, 11)
  })

  it('can be given again at once, or from a time on', () => {
    const window = taken()
    window.release(3, 0)
    window.release(8, 50)
    assert.deepEqual(window.availableRecords(1, 10), [3])
    assert.equal(window.openRecord(3)?.state, DeliveryState.AVAILABLE)
    window.expire(50)
    assert.deepEqual(window.availableRecords(50, 10), [3, 8])
    assert.deepEqual(window.availableRecords(50, 1), [3])
  })

  it('are archived when they were delivered often enough', () => {
    const window = taken(1)
    assert.equal(window.release(1, 0), 'exhausted')
    assert.equal(window.startOffset, 2)
    assert.equal(window.release(1, 0), null)
  })

  it('have their lock anew, also after it ran out', () => {
    const window = taken()
    window.expire(1 + LOCK_MS)
    assert.equal(window.availableRecords(1 + LOCK_MS, 100).length, 8)
    assert.ok(window.renew(4, 'a', 1 + LOCK_MS))
    assert.deepEqual(window.availableRecords(1 + LOCK_MS, 100), [1, 2, 3, 7, 8, 9, 10])
    assert.equal(window.renew(5, 'a', 1), false)
    assert.equal(window.renew(11, 'a', 1), false)
  })

  it('are not there before and behind the window', () => {
    const window = taken()
    assert.equal(window.openRecord(0), null)
    assert.equal(window.openRecord(5), null)
    assert.equal(window.openRecord(11), null)
    assert.equal(window.release(11, 0), null)
  })
})
