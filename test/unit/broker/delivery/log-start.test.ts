import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AcknowledgeType, DeliveryState } from '../../../../src/broker/delivery/delivery-state.ts'
import { DeliveryUpdate } from '../../../../src/broker/delivery/delivery-update.ts'
import { DeliveryWindow } from '../../../../src/broker/delivery/delivery-window.ts'

const NOW_MS = 1
const LIMITS = {
  maxInFlightCount: 100,
  maxDeliveryCount: 5,
  lockDurationMs: () => 1000,
  hasDeadLetters: false,
}

type Span = readonly [firstOffset: number, lastOffset: number]

const spanOf = ([firstOffset, lastOffset]: Span) => ({ firstOffset, lastOffset })

/** The window of a group whose state was kept: what of its records is finished. */
function restored(startOffset: number, ...finished: readonly Span[]): DeliveryWindow {
  const batches = finished.map((span) => ({
    ...spanOf(span),
    state: DeliveryState.ACKNOWLEDGED,
    deliveryCount: 1,
  }))
  return DeliveryWindow.restore(startOffset, batches, () => LIMITS)
}

/** One read of the log from where the window wants it: what the consumer gets of these batches. */
function take(window: DeliveryWindow, ...batches: readonly Span[]): Span[] {
  const fetchOffset = window.nextFetchOffset(NOW_MS)
  const request = {
    owner: 'a',
    fetchOffset,
    batches: batches.map(spanOf),
    isRecordLimit: false,
    batchSize: 100,
    maxRecordCount: 100,
  }
  const { spans } = window.acquire(request, NOW_MS)
  return spans.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset])
}

function accept(window: DeliveryWindow, span: Span): void {
  const batches = [{ ...spanOf(span), types: [AcknowledgeType.ACCEPT] }]
  const update = window.acknowledge({ owner: 'a', batches, canRenew: false }, NOW_MS)
  assert.ok(update instanceof DeliveryUpdate)
  window.settle(update, true, NOW_MS)
}

describe('a log that begins later than the records of a group', () => {
  it('gives nothing before its start, also of a batch that it begins within', () => {
    const window = restored(0)
    assert.deepEqual(take(window, [0, 4]), [[0, 4]])
    window.logStartMoved(8)
    assert.deepEqual(take(window, [5, 9]), [[8, 9]])
    assert.equal(window.startOffset, 8)
  })

  it('has nothing in the holes before its start for the next read to look for', () => {
    const window = restored(0, [10, 19], [30, 39])
    assert.equal(window.nextFetchOffset(NOW_MS), 0)
    window.logStartMoved(35)
    assert.equal(window.nextFetchOffset(NOW_MS), 40)
    assert.deepEqual(take(window, [40, 44]), [[40, 44]])
  })

  it('has the holes behind its start still to be read', () => {
    const window = restored(0, [10, 19], [30, 39])
    window.logStartMoved(15)
    assert.equal(window.nextFetchOffset(NOW_MS), 20)
    assert.deepEqual(take(window, [20, 29], [30, 39]), [[20, 29]])
    accept(window, [20, 29])
    assert.equal(window.startOffset, 40)
  })
})

describe('a hole that compaction emptied', () => {
  it('is not read again once a read went past it and got nothing', () => {
    const window = restored(0, [10, 19], [30, 39])
    // The log has nothing before 10, and of what it has all is finished.
    assert.deepEqual(take(window, [10, 19]), [])
    assert.equal(window.nextFetchOffset(NOW_MS), 20)
    assert.deepEqual(take(window, [20, 29]), [[20, 29]])
  })
})
