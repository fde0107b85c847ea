import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CleanerHarness } from './cleaner-harness.ts'

describe('compaction of a log', () => {
  it('keeps the newest record of each key, at its offset, in fewer segments', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted()
    for (let i = 0; i < 40; i++) harness.put(log, `${'abc'[i % 3]}=${i}`)
    const before = log.sizeBytes
    const active = log.logEndOffset
    await harness.compact(log)
    const records = harness.recordsOf(log)
    assert(records.length < 10, records.join())
    assert.deepEqual(harness.table(log), { a: '39', b: '37', c: '38' })
    for (const record of records) assert.match(record, /^(\d+):[abc]=\1$/)
    assert.equal(log.logEndOffset, active)
    assert(log.sizeBytes < before)
  })
})
