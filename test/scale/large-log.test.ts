import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runLargeLog } from './large-log.ts'

const GB = 1e9

test('a log of 100 GB is served after a clean stop and after kill -9, with few files open', async () => {
  const steps = await runLargeLog({ bytes: 100 * GB, segmentBytes: 1024 ** 3 })
  const [empty] = steps
  for (const { step, openFiles } of steps)
    assert.ok(openFiles <= (empty?.openFiles ?? 0) + 10, `${step}: ${openFiles} open files`)
})
