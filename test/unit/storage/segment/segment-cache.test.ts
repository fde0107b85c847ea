import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import type { PartitionLog } from '../../../../src/ports/partition-log.ts'
import { append, batchOf, Harness, readAll } from '../log-harness.ts'

const FILE_COUNT = 3
const LOG_COUNT = 10

function openFiles(harness: Harness): number {
  return harness.meter.read('spool_log_open_files')
}

/** Appends to one log after the other, each time until the disk has done everything. */
function appendToEach(harness: Harness, logs: readonly PartitionLog[]): void {
  for (const log of logs) {
    append(log, batchOf(), 'durable')
    harness.settle()
  }
}

for (const durability of ['fsync', 'os'] as const) {
  describe(`files of growing segments, durability ${durability}`, () => {
    function filled() {
      const harness = new Harness({ maxGrowingFiles: FILE_COUNT, tailCacheBytes: 0 })
      const logs = Array.from({ length: LOG_COUNT }, (_, index) =>
        harness.open({ durability }, `t${index}`),
      )
      return { harness, logs }
    }

    it('are closed while nobody uses them, and opened again', () => {
      const { harness, logs } = filled()
      assert.ok(openFiles(harness) <= FILE_COUNT)
      for (let round = 1; round <= 3; round++) {
        appendToEach(harness, logs)
        assert.ok(openFiles(harness) <= FILE_COUNT)
        for (const log of logs) assert.equal(readAll(harness, log).length, round)
        assert.ok(openFiles(harness) <= FILE_COUNT)
      }
      assert.deepEqual(harness.failures, [])
    })

    it('hold nothing back from a clean stop', async () => {
      const { harness, logs } = filled()
      appendToEach(harness, logs)
      await harness.stop()
      harness.start()
      assert.equal(harness.manager.isAfterCrash, false)
      const again = logs.map((_, index) => harness.open({ durability }, `t${index}`))
      assert.ok(openFiles(harness) <= FILE_COUNT)
      for (const log of again) assert.equal(readAll(harness, log).length, 1)
    })
  })
}

describe('appends to more logs than may have their files open', () => {
  it('wait until syncs of others are done, and are all answered', () => {
    const harness = new Harness({ maxGrowingFiles: FILE_COUNT })
    const logs = Array.from({ length: LOG_COUNT }, (_, index) => harness.open({}, `t${index}`))
    const outcomes = logs.map((log) => append(log, batchOf(), 'durable'))
    harness.finishTurn()
    assert.ok(openFiles(harness) <= FILE_COUNT)
    assert.equal(harness.diskTaskCount, FILE_COUNT)
    harness.settle()
    assert.ok(openFiles(harness) <= FILE_COUNT)
    assert.deepEqual(
      outcomes.map(({ told }) => told),
      logs.map(() => ErrorCode.NONE),
    )
  })

  it('are not lost by a clean stop, and refused when their log goes', async () => {
    const harness = new Harness({ maxGrowingFiles: FILE_COUNT })
    const logs = Array.from({ length: LOG_COUNT }, (_, index) => harness.open({}, `t${index}`))
    const outcomes = logs.map((log) => append(log, batchOf(), 'durable'))
    harness.finishTurn()
    const last = logs.at(-1) as PartitionLog
    harness.manager.deleteLog(last)
    await harness.stop()
    assert.deepEqual(
      outcomes.map(({ told }) => told),
      logs.map((log) => (log === last ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE)),
    )
  })
})
