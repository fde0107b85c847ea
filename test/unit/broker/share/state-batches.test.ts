import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { DeliveryState, StateBatch } from '../../../../src/broker/delivery/delivery-state.ts'
import { combineStateBatches } from '../../../../src/broker/share/coordinator/state-batches.ts'

const batch = fc
  .record({
    firstOffset: fc.nat(40),
    size: fc.nat(12),
    state: fc.nat(4),
    deliveryCount: fc.integer({ min: 0, max: 5 }),
  })
  .map(
    ({ firstOffset, size, state, deliveryCount }): StateBatch => ({
      firstOffset,
      lastOffset: firstOffset + size,
      state: state as DeliveryState,
      deliveryCount,
    }),
  )

/** Each offset for itself: more deliveries win, then the later state. */
function offsetByOffset(batches: readonly StateBatch[], startOffset: number): Map<number, string> {
  const winners = new Map<number, StateBatch>()
  for (const one of batches) {
    for (let at = Math.max(one.firstOffset, startOffset); at <= one.lastOffset; at++) {
      const known = winners.get(at)
      const rank = (of: StateBatch): number => of.deliveryCount * 10 + of.state
      if (known === undefined || rank(one) > rank(known)) winners.set(at, one)
    }
  }
  return new Map([...winners].map(([at, one]) => [at, `${one.state}x${one.deliveryCount}`]))
}

describe('combineStateBatches', () => {
  it('keeps the strongest word of each offset from the start on, in order, joined', () => {
    fc.assert(
      fc.property(fc.array(batch), fc.array(batch), fc.nat(20), (first, second, startOffset) => {
        const known = combineStateBatches([], first, 0)
        const combined = combineStateBatches(known, second, startOffset)
        const expected = offsetByOffset([...first, ...second], startOffset)
        assert.deepEqual(
          new Map([...offsetByOffset(combined, startOffset)].sort(([a], [b]) => a - b)),
          new Map([...expected].sort(([a], [b]) => a - b)),
        )
        for (const [index, one] of combined.entries()) {
          const next = combined[index + 1]
          if (next === undefined) continue
          assert.ok(next.firstOffset > one.lastOffset, 'in order, without overlaps')
          const isSame = next.state === one.state && next.deliveryCount === one.deliveryCount
          assert.ok(!isSame || next.firstOffset > one.lastOffset + 1, 'joined')
        }
      }),
      { numRuns: 500 },
    )
  })
})
