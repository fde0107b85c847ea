import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LogConfig, PartitionLog } from '../../../../src/ports/partition-log.ts'
import { append, batchOf, Harness, readAll } from '../log-harness.ts'

const SIZE = batchOf().byteLength
const CHECK_MS = 1000

function start(config: Partial<LogConfig>): { harness: Harness; log: PartitionLog } {
  const harness = new Harness({ retentionCheckIntervalMs: CHECK_MS })
  const log = harness.open({ segmentBytes: SIZE * 2, ...config })
  harness.manager.start()
  return { harness, log }
}

function fill(harness: Harness, log: PartitionLog, count: number, timestamp: number): void {
  for (let i = 0; i < count; i++) append(log, batchOf(1, {}, 10, timestamp))
  harness.settle()
}

/** The last segment goes once what it ends with is synced. */
async function expire(harness: Harness, afterMs: number): Promise<void> {
  harness.scheduler.advance(afterMs)
  harness.settle()
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  harness.settle()
}

describe('retention by time', () => {
  it('takes segments whose newest record is older than retention.ms', () => {
    const { harness, log } = start({ retentionMs: 10_000 })
    const now = harness.clock.timeMs
    fill(harness, log, 2, now)
    fill(harness, log, 3, now + 8000)
    harness.scheduler.advance(10_000)
    assert.equal(log.logStartOffset, 0)
    const before = harness.advancedCount
    harness.scheduler.advance(CHECK_MS)
    assert.equal(log.logStartOffset, 2)
    assert.equal(harness.advancedCount, before + 1)
    assert.deepEqual(readAll(harness, log)[0], [2, 2])
  })

  it('takes the last segment too, and goes on with an empty one at the same offset', async () => {
    const { harness, log } = start({ retentionMs: 10_000 })
    fill(harness, log, 3, harness.clock.timeMs)
    await expire(harness, 12_000)
    assert.deepEqual([log.logStartOffset, log.logEndOffset, log.sizeBytes], [3, 3, 0])
    fill(harness, log, 1, harness.clock.timeMs)
    assert.deepEqual(readAll(harness, log), [[3, 3]])
    harness.kill()
    harness.start()
    const again = harness.open({ segmentBytes: SIZE * 2 })
    assert.deepEqual([again.logStartOffset, again.logEndOffset], [3, 4])
  })

  it('goes by the broker time of LogAppendTime batches, whatever the client said', async () => {
    const { harness, log } = start({ retentionMs: 10_000 })
    const now = harness.clock.timeMs
    const nextYear = now + 365 * 86_400_000
    append(log, batchOf(2, { logAppendTime: now }, 10, nextYear))
    append(log, batchOf(1, { logAppendTime: now }, 10, nextYear))
    harness.settle()
    await expire(harness, 12_000)
    assert.equal(log.logStartOffset, 3)
  })

  it('reports, once, a future record that keeps its segment', () => {
    const { harness, log } = start({ retentionMs: 10_000 })
    fill(harness, log, 3, harness.clock.timeMs + 86_400_000)
    harness.scheduler.advance(20_000)
    assert.equal(log.logStartOffset, 0)
    const lines = harness.lines.filter(({ text }) => text.includes('dated in the future'))
    assert.equal(lines.length, 1)
    const { file } = lines[0]?.fields ?? {}
    assert.match(String(file), /t-0\/00000000000000000000\.log$/)
  })

  it('does not take what is not durable yet', () => {
    const { harness, log } = start({ retentionMs: 10_000 })
    append(log, batchOf(1, {}, 10, 1000), 'written')
    harness.finishTurn()
    harness.scheduler.advance(12_000)
    assert.deepEqual([log.logStartOffset, log.logEndOffset], [0, 1])
  })
})

describe('retention by size', () => {
  it('takes the oldest segments as long as retention.bytes are left', () => {
    const { harness, log } = start({ retentionBytes: SIZE * 4 })
    fill(harness, log, 7, harness.clock.timeMs)
    harness.scheduler.advance(CHECK_MS)
    assert.equal(log.logStartOffset, 2)
    assert.equal(log.sizeBytes, SIZE * 5)
  })
})

describe('retention', () => {
  it('keeps the log start where it was seen, although a power failure brings segments back', () => {
    const { harness, log } = start({ retentionBytes: SIZE * 4 })
    fill(harness, log, 7, harness.clock.timeMs)
    harness.scheduler.advance(CHECK_MS)
    assert.equal(log.logStartOffset, 2)
    harness.fs.crash()
    assert(harness.fs.stat(harness.pathOf('00000000000000000000.log')) !== undefined)
    harness.start()
    assert.equal(harness.open().logStartOffset, 2)
  })

  it('keeps an answered DeleteRecords at the log start that it had made', async () => {
    const { harness, log } = start({ retentionBytes: SIZE * 4 })
    fill(harness, log, 7, harness.clock.timeMs)
    harness.scheduler.advance(CHECK_MS)
    await harness.until(log.deleteRecordsBefore(2))
    harness.fs.crash()
    harness.start()
    assert.equal(harness.open().logStartOffset, 2)
  })

  it('keeps everything without cleanup.policy delete, but for DeleteRecords', async () => {
    const { harness, log } = start({ retentionMs: 1, retentionBytes: 1, isDeleted: false })
    fill(harness, log, 5, 1000)
    harness.scheduler.advance(CHECK_MS * 3)
    assert.equal(log.logStartOffset, 0)
    await harness.until(log.deleteRecordsBefore(2))
    const logs = harness.fs.list('/data/t-0').filter((name) => name.endsWith('.log'))
    assert.equal(logs.length, 2)
  })

  it('renames files at once and removes them after file.delete.delay.ms', async () => {
    const { harness, log } = start({ retentionMs: 10_000, fileDeleteDelayMs: 5000 })
    fill(harness, log, 3, harness.clock.timeMs)
    const names = (suffix: string) =>
      harness.fs.list('/data/t-0').filter((name) => name.endsWith(suffix))
    await expire(harness, 11_000)
    assert.equal(names('.log.deleted').length, 2)
    assert.equal(names('.timeindex.deleted').length, 2)
    harness.scheduler.advance(6000)
    assert.equal(names('.deleted').length, 0)
  })

  it('does not disturb a read that has begun', async () => {
    const { harness, log } = start({ retentionMs: 10_000 })
    fill(harness, log, 5, harness.clock.timeMs)
    harness.kill()
    harness.start()
    const again = harness.open({ segmentBytes: SIZE * 2, retentionMs: 10_000 })
    harness.manager.start()
    const request = {
      offset: 0,
      endOffset: 5,
      maxBytes: 1000,
      atLeastOne: true,
      includeAborted: false,
    }
    let byteLength = -1
    again.read(request, (_, slice) => {
      byteLength = slice?.byteLength ?? -1
      slice?.release()
    })
    harness.scheduler.advance(12_000)
    assert.equal(again.logStartOffset, 4)
    harness.settle()
    assert.equal(byteLength, SIZE * 2)
    await expire(harness, CHECK_MS)
    assert.equal(again.logStartOffset, 5)
    // Only the file that grows is open.
    assert.equal(harness.fs.openHandleCount, 1)
  })
})
