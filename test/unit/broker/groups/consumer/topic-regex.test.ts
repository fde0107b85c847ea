import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { checkRegex, resolveRegex } from '../../../../../src/broker/groups/consumer/topic-regex.ts'
import { TestTopics } from './test-topics.ts'

const refused = (regex: string, message: RegExp) =>
  assert.throws(() => checkRegex(regex), { code: ErrorCode.INVALID_REGULAR_EXPRESSION, message })

describe('regular expressions of consumer groups (KIP-848)', () => {
  it('match whole names, in the syntax of RE2', () => {
    const topics = new TestTopics()
    for (const name of ['orders-eu', 'orders-us', 'old-orders-eu']) topics.set(name, 1)
    const { topics: matched } = resolveRegex('orders-(eu|us)', topics, 7)
    assert.deepEqual([...matched], ['orders-eu', 'orders-us'])
  })

  it('are taken with many names, sets and repetitions', () => {
    checkRegex(Array.from({ length: 100 }, (_, index) => `topic-${index}`).join('|'))
    checkRegex('[a-z0-9._-]{1,200}-(dlq|retry)')
  })

  it('are refused when they are longer than a broker can compile quickly', () => {
    refused('a'.repeat(2_049), /has 2049 characters; this broker takes 2048/)
    checkRegex('a'.repeat(1_900))
  })

  it('are refused when matching would take the time of everybody else', () => {
    refused('.{1,200}a?'.repeat(20), /repetitions that take too long/)
    refused('(a?)'.repeat(500).concat('a{100}'), /repetitions that take too long/)
  })

  it('are refused with what is wrong in them', () => {
    refused('a(', /`a\(` is not a valid regular expression: missing closing \)/)
    refused('(?<=x)y', /is not a valid regular expression/)
  })
})
