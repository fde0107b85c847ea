/**
 * Runs every class against Apache Kafka and writes what it passes to expected.json, the yardstick for
 * Spool. By hand, when Kafka's version or the driver changes:
 *   node test/conformance/kafka-java/baseline.ts [CLASS...]
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { javaClasses } from './classes.ts'
import { type JavaResult, runClassWithRetries } from './run-class.ts'

const file = join(import.meta.dirname, 'expected.json')

interface Row {
  readonly pass: string[]
  readonly fail: string[]
  readonly skip: string[]
}

const wanted = process.argv.slice(2)
const expected = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Record<string, Row>

function rowOf(results: readonly JavaResult[]): Row {
  const row: Row = { pass: [], fail: [], skip: [] }
  for (const { test, status } of results) row[status].push(test)
  for (const tests of Object.values(row)) tests.sort()
  return row
}

for (const javaClass of javaClasses) {
  const { label } = javaClass
  if (wanted.length > 0 && !wanted.some((want) => label.includes(want))) continue
  const started = performance.now()
  const results = await runClassWithRetries(javaClass, 'kafka')
  for (const { test, status, reason } of results) {
    if (status === 'fail') console.log(`  ${test}: ${reason.slice(0, 200)}`)
  }
  const row = rowOf(results)
  expected[label] = row
  const seconds = Math.round((performance.now() - started) / 1_000)
  const counts = `${row.pass.length} pass, ${row.fail.length} fail, ${row.skip.length} skip`
  console.log(`${label}: ${counts}, ${seconds} s`)
  await writeFile(file, `${JSON.stringify(expected, null, 2)}\n`)
}
