import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StorageBudget } from '../../../../../src/frontends/nats/jetstream/storage-budget.ts'

/** 30 bytes of overhead, 3 of the subject. */
const message = (payloadBytes: number) => ({
  subject: 's.a',
  headers: null,
  payload: Buffer.alloc(payloadBytes),
})

describe('what an account may hold', () => {
  it('takes messages up to the limit, and refuses the one above it with 10002', () => {
    let held = 0
    const budget = new StorageBudget(100, () => held)
    assert.equal(budget.take(message(17)), null)
    assert.equal(budget.take(message(17)), null)
    held = 100
    const refusal = budget.take(message(0))
    assert.equal(refusal?.err_code, 10002)
    assert.equal(refusal?.description, 'resource limits exceeded for account')
  })

  it('has room again for what streams removed', () => {
    let held = 90
    const budget = new StorageBudget(100, () => held)
    assert.notEqual(budget.take(message(0)), null)
    held = 50
    assert.equal(budget.take(message(0)), null)
  })

  it('asks the streams only when the count is above the limit', () => {
    let asked = 0
    const budget = new StorageBudget(33 * 100, () => {
      asked++
      return 0
    })
    for (let i = 0; i < 100; i++) assert.equal(budget.take(message(0)), null)
    assert.equal(asked, 1)
  })

  it('of 0 bytes lets nothing in', () => {
    assert.notEqual(new StorageBudget(0, () => 0).take(message(0)), null)
  })
})
