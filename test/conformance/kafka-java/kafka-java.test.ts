import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { targetKind } from '../target.ts'
import { javaClasses, outOfScope, outOfScopeMethods } from './classes.ts'
import { runClassTwice } from './run-class.ts'

const CLASS_LIMIT_MS = 600_000
const { SPOOL_CONFORMANCE_ALL } = process.env
/** With --all the tests that Spool need not pass yet are run and shown too, as to be done. */
const isAll = SPOOL_CONFORMANCE_ALL === '1'

const expected = JSON.parse(
  await readFile(join(import.meta.dirname, 'expected.json'), 'utf8'),
) as Record<string, { readonly pass: readonly string[] }>

for (const { name, isDefault, config } of javaClasses) {
  if (!isDefault && !isAll) continue
  const pass = expected[name]?.pass ?? []
  const required = pass.filter((name_) => outOfScope(name, name_) === undefined)
  if (required.length === 0 && !isAll) continue

  test(`${name} of Apache Kafka`, async (context) => {
    const options = { limitMs: CLASS_LIMIT_MS, ...(isAll ? {} : { exclude: outOfScopeMethods }) }
    const results = await runClassTwice(name, { kind: targetKind(), config }, options)
    const found = new Map(results.map((result) => [result.test, result]))
    for (const method of pass) {
      const later = outOfScope(name, method)
      if (later !== undefined && !isAll) continue
      const todo = later === undefined ? {} : { todo: `needs ${later}` }
      await context.test(method, todo, () => {
        const result = found.get(method)
        assert.ok(result !== undefined, 'the test gave no result before the time limit')
        assert.equal(result.status, 'pass', result.reason)
      })
    }
  })
}
