import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { installKafkaTests } from '../peers/kafka-tests.ts'
import { targetKind } from '../target.ts'
import { javaClasses } from './classes.ts'
import { otherwise } from './group-classes.ts'
import { runClassWithRetries } from './run-class.ts'

const isAll = process.env['SPOOL_CONFORMANCE_ALL'] === '1'
const expected = JSON.parse(
  await readFile(join(import.meta.dirname, 'expected.json'), 'utf8'),
) as Record<string, { readonly pass: readonly string[] }>

// Most of the time they wait, each class with a broker and a JVM of its own.
describe('integration tests of Apache Kafka', { concurrency: 2 }, () => {
  before(() => installKafkaTests())

  for (const javaClass of javaClasses) {
    const { label, limitMs } = javaClass
    const pass = expected[label]?.pass ?? []
    if (pass.length === 0 || (limitMs !== undefined && !isAll)) continue

    it(label, async (context) => {
      const results = await runClassWithRetries(javaClass, targetKind())
      const found = new Map(results.map((result) => [result.test, result]))
      for (const method of pass) {
        const reason = targetKind() === 'spool' ? otherwise[`${label} ${method}`] : undefined
        await context.test(method, { ...(reason === undefined ? {} : { todo: reason }) }, () => {
          const result = found.get(method)
          assert.ok(result !== undefined, 'the test gave no result before the time limit')
          assert.equal(result.status, 'pass', result.reason)
        })
      }
    })
  }
})
