import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PartitionLog } from '../../../../src/ports/partition-log.ts'
import { CleanerHarness } from './cleaner-harness.ts'

const TABLE = { a: '36', b: '37', c: '38', d: '39' }

/** Forty records in segments of a few, the last of each key in `TABLE`, one key deleted. */
function filled(): { readonly harness: CleanerHarness; readonly log: PartitionLog } {
  const harness = new CleanerHarness()
  const log = harness.openCompacted()
  harness.put(log, 'gone=1')
  harness.put(log, 'gone')
  for (let i = 0; i < 40; i++) harness.put(log, `${'abcd'[i % 4]}=${i}`)
  return { harness, log }
}

/** Opens what a crash left, compacts it again and looks. */
async function expectWhole(harness: CleanerHarness, name: string): Promise<void> {
  harness.fs.fault = undefined
  harness.start()
  let log = harness.openCompacted()
  assert.deepEqual(harness.table(log), TABLE, name)
  assert.equal(log.logEndOffset, 42, name)
  await harness.compact(log)
  assert.deepEqual(harness.table(log), TABLE, name)
  harness.put(log, 'new=1')
  harness.fs.crash()
  harness.start()
  log = harness.openCompacted()
  assert.deepEqual(harness.table(log), { ...TABLE, new: '1' }, name)
  const names = harness.fileNames()
  assert(!names.some((file) => /swap|cleaned|deleted/.test(file)), `${name}: ${names.join()}`)
}

describe('a crash during compaction', () => {
  for (const kind of ['power failure', 'kill -9'] as const) {
    it(`loses nothing, whichever operation of the disk is the last: ${kind}`, async () => {
      let hasFinished = false
      let stopAt = 0
      for (; !hasFinished; stopAt++) {
        const { harness, log } = filled()
        let operations = 0
        harness.fs.fault = () => (operations++ >= stopAt ? { code: 'EIO' } : undefined)
        await harness.compact(log).catch(() => undefined)
        hasFinished = operations <= stopAt
        if (kind === 'kill -9') harness.kill()
        else harness.fs.crash()
        await expectWhole(harness, `stopped at ${stopAt}`)
      }
      assert(stopAt > 50, 'many operations were tried')
    })
  }
})
