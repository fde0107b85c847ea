import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryBudget } from '../../../../src/frontends/kafka/memory-budget.ts'

function waiting(budget: MemoryBudget, onResume: () => void = () => {}) {
  const waiter = {
    resumedCount: 0,
    resumed() {
      waiter.resumedCount++
      onResume()
    },
  }
  budget.whenFree(waiter)
  return waiter
}

describe('the memory budget', () => {
  it('is exceeded above its limit, not at it', () => {
    const budget = new MemoryBudget(100)
    budget.add(100)
    assert.equal(budget.isExceeded, false)
    budget.add(1)
    assert.equal(budget.isExceeded, true)
    budget.remove(1)
    assert.deepEqual([budget.isExceeded, budget.usedBytes], [false, 100])
  })

  it('wakes who waits, once, in the order in which they came', () => {
    const budget = new MemoryBudget(100)
    budget.add(200)
    const order: number[] = []
    const waiters = [0, 1].map((index) => waiting(budget, () => order.push(index)))
    budget.remove(50)
    assert.deepEqual(order, [])
    budget.remove(50)
    budget.remove(50)
    assert.deepEqual(order, [0, 1])
    assert.deepEqual(
      waiters.map(({ resumedCount }) => resumedCount),
      [1, 1],
    )
  })

  it('wakes no more than fit: each takes its bytes before the next is asked', () => {
    const budget = new MemoryBudget(100)
    budget.add(150)
    const waiters = [0, 1, 2].map(() => waiting(budget, () => budget.add(80)))
    budget.remove(150)
    assert.deepEqual(
      waiters.map(({ resumedCount }) => resumedCount),
      [1, 1, 0],
    )
    budget.remove(160)
    assert.equal(waiters[2]?.resumedCount, 1)
  })

  it('wakes nobody who does not wait any more', () => {
    const budget = new MemoryBudget(100)
    budget.add(200)
    const waiter = waiting(budget)
    budget.forget(waiter)
    budget.remove(200)
    assert.equal(waiter.resumedCount, 0)
  })
})
