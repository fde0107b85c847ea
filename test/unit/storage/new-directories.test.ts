import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StorageError } from '../../../src/base/errors.ts'
import type { LogConfig } from '../../../src/ports/partition-log.ts'
import { append, batchOf, CONFIG, Harness } from './log-harness.ts'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAbg'
/** More than are made in one turn. */
const COUNT = 150

const identityOf = (partition: number) => ({
  topic: 't',
  topicId: TOPIC_ID,
  partition,
  leaderEpoch: 0,
})

const make = (harness: Harness, config: Partial<LogConfig> = {}) =>
  harness.until(
    harness.manager.makeLogs(
      Array.from({ length: COUNT }, (_, partition) => identityOf(partition)),
      { ...CONFIG, ...config },
    ),
  )

const directories = (harness: Harness) =>
  harness.fs.list(harness.dataDir).filter((name) => name.startsWith('t-'))

describe('logs that are made together', () => {
  it('survive a power failure, and are opened as they are', async () => {
    const harness = new Harness()
    await make(harness)
    harness.fs.crash()
    harness.start()
    assert.equal(directories(harness).length, COUNT)
    harness.fs.fault = (operation) => (operation === 'sync' ? { code: 'EIO' } : undefined)
    for (let partition = 0; partition < COUNT; partition++) {
      const log = harness.manager.openLog(identityOf(partition), CONFIG, harness)
      assert.deepEqual([log.logStartOffset, log.logEndOffset], [0, 0])
    }
    assert.deepEqual(harness.lines, [], 'nothing was repaired')
  })

  it('leave nothing behind when one of them can not be made', async () => {
    for (const failing of ['open', 'write', 'sync'] as const) {
      const harness = new Harness()
      let left = COUNT - 10
      harness.fs.fault = (operation, path) =>
        operation === failing && path.includes('/t-') && left-- <= 0
          ? { code: 'ENOSPC' }
          : undefined
      await assert.rejects(make(harness), StorageError)
      harness.fs.fault = undefined
      assert.deepEqual(directories(harness), [], failing)
      await make(harness)
      assert.equal(directories(harness).length, COUNT)
    }
  })

  it('leave what is there as it is', async () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf(3))
    harness.settle()
    await harness.stop()
    harness.start()
    await make(harness)
    assert.equal(harness.open().logEndOffset, 3)
  })

  it('know nothing of deleted logs of their names', async () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf(3))
    harness.settle()
    await harness.until(log.deleteRecordsBefore(2))
    harness.manager.deleteLog(log)
    await make(harness)
    harness.fs.crash()
    harness.start()
    const again = harness.open()
    assert.deepEqual([again.logStartOffset, again.logEndOffset], [0, 0])
  })

  it('are as long as they may get with preallocate', async () => {
    const harness = new Harness()
    await make(harness, { isPreallocated: true, segmentBytes: 5000 })
    harness.open({ isPreallocated: true, segmentBytes: 5000 })
    assert.equal(harness.fs.stat(harness.pathOf(`${'0'.repeat(20)}.log`))?.sizeBytes, 5000)
  })
})
