import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { buildBatch } from '../../../../src/records/batch-builder.ts'
import type { FilePartitionLog } from '../../../../src/storage/partition-log.ts'
import { append, readSlice } from '../log-harness.ts'
import { CleanerHarness } from './cleaner-harness.ts'

const MINUTE = 60_000
const TRANSACTION = { producerEpoch: 0, isTransactional: true }

/** Values count up, keys go round. */
function fill(
  harness: CleanerHarness,
  log: ReturnType<CleanerHarness['openCompacted']>,
  count = 40,
) {
  for (let i = 0; i < count; i++) harness.put(log, `${'abc'[i % 3]}=${i}`)
}

const logFiles = (harness: CleanerHarness) =>
  harness.fileNames().filter((name) => name.endsWith('.log'))

describe('compaction of a log', () => {
  it('keeps the newest record of each key, at its offset', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted()
    fill(harness, log)
    const before = log.sizeBytes
    await harness.compact(log)
    const records = harness.recordsOf(log)
    assert(records.length < 10, records.join())
    for (const record of records) assert.match(record, /^(\d+):[abc]=\1$/)
    assert.deepEqual(harness.table(log), { a: '39', b: '37', c: '38' })
    assert.equal(log.logEndOffset, 40)
    assert(log.sizeBytes < before)
  })

  it('does not touch the last segment, nor a second time what is clean', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted()
    fill(harness, log)
    const active = harness.fs.readFile(harness.pathOf(logFiles(harness).at(-1) as string))
    await harness.compact(log)
    const files = logFiles(harness).map((name) => harness.fs.readFile(harness.pathOf(name)))
    assert.deepEqual(files.at(-1), active)
    await harness.compact(log)
    const bytes = (all: readonly Buffer[]) => Buffer.concat(all)
    const again = logFiles(harness).map((name) => harness.fs.readFile(harness.pathOf(name)))
    assert.deepEqual(bytes(again), bytes(files))
  })

  it('takes the last segment too when all of a log is asked for, once that is safe', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted({ segmentBytes: 1_000_000 })
    fill(harness, log)
    harness.put(log, 'a')
    const bytesBefore = log.sizeBytes
    assert.deepEqual(await harness.compactAll(log), {
      endOffset: 41,
      readBytes: bytesBefore,
      writtenBytes: log.sizeBytes,
      keylessCount: 0,
    })
    assert(log.sizeBytes < bytesBefore / 5)
    assert.deepEqual(harness.recordsOf(log), ['37:b=37', '38:c=38', '40:a'])
    harness.put(log, 'd=1')
    assert.deepEqual(harness.table(log), { b: '37', c: '38', d: '1' })
  })

  it('puts segments together that fit one', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted()
    fill(harness, log)
    const before = logFiles(harness).length
    await harness.compact(log)
    await harness.compact(log)
    assert(logFiles(harness).length < before / 3, logFiles(harness).join())
    assert.deepEqual(harness.table(log), { a: '39', b: '37', c: '38' })
  })

  it('takes a tombstone after delete.retention.ms, from when it was first compacted', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted({ deleteRetentionMs: MINUTE })
    harness.put(log, 'gone=1')
    harness.put(log, 'gone')
    fill(harness, log, 10)
    const tombstones = () => harness.recordsOf(log).filter((record) => record === '1:gone')
    harness.clock.timeMs += 2 * MINUTE
    await harness.compact(log)
    assert.equal(harness.recordsOf(log)[0], '1:gone')
    harness.clock.timeMs += MINUTE - 1
    await harness.compact(log)
    assert.equal(tombstones().length, 1)
    harness.clock.timeMs += 1
    await harness.compact(log)
    assert.equal(tombstones().length, 0)
  })
})

describe('the limits of compaction', () => {
  it('takes several rounds when the keys do not fit the map', async () => {
    const harness = new CleanerHarness({ dedupeBufferBytes: 24 * 4, dedupeLoadFactor: 0.5 })
    const log = harness.openCompacted()
    for (let i = 0; i < 60; i++) harness.put(log, `${'abcdefghij'[i % 10]}=${i}`)
    for (let round = 0; round < 60; round++) await harness.compact(log)
    // All but the last segment and what is just before it.
    const records = harness.recordsOf(log)
    assert(records.length < 18, records.join())
    assert.equal(Object.keys(harness.table(log)).length, 10)
  })

  it('goes on until all is done when all of a log is asked for', async () => {
    const harness = new CleanerHarness({ dedupeBufferBytes: 24 * 4, dedupeLoadFactor: 0.5 })
    const log = harness.openCompacted()
    for (let i = 0; i < 60; i++) harness.put(log, `${'abcdefghij'[i % 10]}=${i}`)
    await harness.compactAll(log)
    const left = Array.from({ length: 10 }, (_, i) => `${50 + i}:${'abcdefghij'[i]}=${50 + i}`)
    assert.deepEqual(harness.recordsOf(log), left)
  })

  it('answers the replay of a batch whose records it took as the duplicate it is', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted()
    const idempotent = { producerId: 7, producerEpoch: 0, baseSequence: 0 }
    harness.put(log, 'a=old', idempotent)
    fill(harness, log)
    await harness.compact(log)
    await harness.stop()
    for (const name of harness.fileNames())
      if (name.endsWith('.snapshot')) harness.fs.remove(harness.pathOf(name))
    harness.start()
    const again = harness.openCompacted()
    const record = { timestamp: harness.clock.nowMs(), key: Buffer.from('a'), value: null }
    const replay = append(again, buildBatch([record], idempotent))
    assert.deepEqual([replay.isDuplicate, replay.baseOffset], [true, 0])
  })
})

describe('transactions in a log that is compacted', () => {
  it('those that are open, and all behind them, are left alone', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted()
    fill(harness, log, 12)
    harness.put(log, 'a=open', { producerId: 5, baseSequence: 0, ...TRANSACTION })
    const open = log.lastStableOffset
    fill(harness, log, 12)
    const newer = () => harness.fs.readFile(harness.pathOf(logFiles(harness).at(-2) as string))
    const before = newer()
    await harness.compact(log)
    assert.deepEqual(newer(), before)
    assert.equal(open, 12)
    harness.endTransaction(log, 5, 1)
    fill(harness, log, 12)
    await harness.compact(log)
    assert.deepEqual(harness.table(log), { a: '9', b: '10', c: '11' })
  })

  it('a marker without its records still fences older epochs, also after a start', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted({ deleteRetentionMs: 1 })
    harness.put(log, 'a=1', { producerId: 5, baseSequence: 0, ...TRANSACTION })
    // The coordinator ends it with the next epoch, as it does on a time-out.
    harness.endTransaction(log, 5, 0, 1)
    fill(harness, log)
    for (let round = 0; round < 4; round++) {
      await harness.compact(log)
      harness.clock.timeMs += MINUTE
    }
    await harness.stop()
    for (const name of harness.fileNames())
      if (name.endsWith('.snapshot')) harness.fs.remove(harness.pathOf(name))
    harness.start()
    const again = harness.openCompacted({ deleteRetentionMs: 1 })
    const record = { timestamp: harness.clock.nowMs(), key: Buffer.from('a'), value: null }
    const late = buildBatch([record], { producerId: 5, baseSequence: 1, ...TRANSACTION })
    assert.equal(append(again, late).errorCode, ErrorCode.INVALID_PRODUCER_EPOCH)
    assert.deepEqual(harness.table(again), { a: '39', b: '37', c: '38' })
  })
})

describe('reads beside compaction', () => {
  it('go on with the files that they have begun with, which are closed behind them', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted() as FilePartitionLog
    fill(harness, log)
    const segment = log.segments.first
    segment.pin()
    const before = Buffer.alloc(segment.sizeBytes)
    segment.handle.readNow(before, 0, before.byteLength, 0)
    await harness.compact(log)
    assert(log.segments.first !== segment)
    const after = Buffer.alloc(before.byteLength)
    assert.equal(segment.handle.readNow(after, 0, after.byteLength, 0), before.byteLength)
    assert.deepEqual(after, before)
    segment.unpin()
    await harness.stop()
    assert.equal(harness.fs.openHandleCount, 0)
  })

  it('find their way when what they read next was compacted meanwhile', async () => {
    const harness = new CleanerHarness()
    const log = harness.openCompacted()
    fill(harness, log)
    readSlice(harness, log, { offset: 0, maxBytes: 200 }).release()
    await harness.compact(log)
    await harness.compact(log)
    // Behind the first read; what was remembered of that place is not so any more.
    for (let offset = 0; offset < 40; offset++) {
      const slice = readSlice(harness, log, { offset, maxBytes: 100 })
      const [piece] = slice.pieces
      assert(piece !== undefined)
      assert(Number(piece.readBigInt64BE(0)) >= offset)
      slice.release()
    }
  })
})
