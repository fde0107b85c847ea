import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import {
  type JavaResult,
  parseResults,
  testsToRepeat,
} from '../../conformance/kafka-java/run-class.ts'

const failed = (test: string, isFlaky: boolean): JavaResult => {
  return { test, status: 'fail', reason: 'expected 1 but was 0', tookMs: 5, isFlaky }
}

const printed = (name: string, status: string, isFlaky: boolean): string =>
  `@result ${JSON.stringify({ name, display: name, status, isFlaky, tookMs: 5, reason: '' })}\n`

describe('results of the integration tests of Apache Kafka', () => {
  it('numbers the runs of one method and keeps the tag of flaky ones', () => {
    const output = `noise\n${printed('a', 'pass', false)}${printed('a', 'fail', true)}`
    assert.deepEqual(parseResults(output), [
      { test: 'a', status: 'pass', reason: '', tookMs: 5, isFlaky: false },
      { test: 'a#2', status: 'fail', reason: '', tookMs: 5, isFlaky: true },
    ])
  })

  it('runs a failed test twice, and one that Kafka tags flaky eight times', () => {
    const results = [failed('a#2', false), failed('b', true), failed('b#3', true)]
    const repeats = [1, 2, 7, 8].map((tries) => testsToRepeat(results, tries))
    assert.deepEqual(repeats, [['a', 'b'], ['b'], ['b'], []])
  })

  it('does not repeat what passed or was skipped', () => {
    const rest = { reason: '', tookMs: 1, isFlaky: true }
    const results: JavaResult[] = [
      { test: 'a', status: 'pass', ...rest },
      { test: 'b', status: 'skip', ...rest },
    ]
    assert.deepEqual(testsToRepeat(results, 1), [])
  })
})
