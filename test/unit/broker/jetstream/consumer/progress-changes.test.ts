import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PendingMessage } from '../../../../../src/broker/jetstream/consumer/consumer-state.ts'
import { ProgressChanges } from '../../../../../src/broker/jetstream/consumer/progress-changes.ts'

const FIRST = { consumerSequence: 1, deliveryCount: 1, deliveredAtMs: 0 }

describe('what changed of a consumer', () => {
  it('is what is still pending of what was given, each once, and what is finished', () => {
    const changes = new ProgressChanges(true)
    for (const sequence of [7, 3, 5, 3]) changes.given(sequence)
    for (const sequence of [7, 8, 10]) changes.finished(sequence, sequence)
    changes.exhausted(10)
    changes.exhausted(11)
    changes.recovered(11)
    const pending = new Map<number, PendingMessage>([
      [3, FIRST],
      [5, FIRST],
      [9, FIRST],
    ])
    const { pending: runs, finished, exhausted } = changes.toKeep(pending)
    assert.deepEqual(
      runs.map(({ firstSequence, lastSequence }) => [firstSequence, lastSequence]),
      [
        [3, 3],
        [5, 5],
      ],
    )
    assert.deepEqual(
      finished.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset]),
      [
        [7, 8],
        [10, 11],
      ],
    )
    assert.deepEqual(exhausted, [10])
    changes.clear()
    assert.equal(changes.hasAny, false)
    assert.deepEqual(changes.toKeep(pending), { pending: [], finished: [], exhausted: [] })
  })

  it('is not noted where nobody keeps it: a consumer in memory would gather it for ever', () => {
    const changes = new ProgressChanges(false)
    changes.moved()
    changes.given(1)
    changes.finished(1, 1)
    changes.finished(3, 3)
    changes.exhausted(4)
    assert.equal(changes.hasAny, false)
    const pending = new Map([[1, FIRST]])
    assert.deepEqual(changes.toKeep(pending), { pending: [], finished: [], exhausted: [] })
  })
})
