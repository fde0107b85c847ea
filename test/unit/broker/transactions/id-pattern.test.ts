import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileIdPattern } from '../../../../src/broker/transactions/id-pattern.ts'

describe('a pattern of transactional ids (KIP-1152)', () => {
  it('matches whole ids', () => {
    const matches = compileIdPattern('pay-.|refund')
    assert.deepEqual(
      ['pay-1', 'pay-', 'pay-12', 'refund', 'refunds'].map((id) => matches?.(id)),
      [true, false, false, true, false],
    )
  })

  it('is in the syntax of RE2: what would need backtracking is none', () => {
    assert.equal(compileIdPattern('['), null)
    assert.equal(compileIdPattern('(a)\\1'), null)
    assert.equal(compileIdPattern('(?=a)'), null)
  })

  it('takes linear time where backtracking would not end', () => {
    const matches = compileIdPattern('(a+)+b')
    assert.equal(matches?.('a'.repeat(20_000)), false)
  })
})
