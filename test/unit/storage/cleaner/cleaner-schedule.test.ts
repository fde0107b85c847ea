import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LogConfig, PartitionLog } from '../../../../src/ports/partition-log.ts'
import { CleanerHarness, COMPACTED } from './cleaner-harness.ts'

const BACKOFF = 15_000
const HOUR = 3_600_000
const CHECKPOINT = '/data/cleaner-offset-checkpoint'

function started(config: Partial<LogConfig> = {}, ...rest: [object?, object?]) {
  const harness = new CleanerHarness(...rest)
  const log = harness.openCompacted(config)
  harness.manager.start()
  return { harness, log }
}

function fill(harness: CleanerHarness, log: PartitionLog, count = 40): void {
  for (let i = 0; i < count; i++) harness.put(log, `${'abc'[i % 3]}=${i}`)
}

/** Records that a reader of everything would see no more. */
function goneCount(harness: CleanerHarness, log: PartitionLog): number {
  return log.logEndOffset - log.logStartOffset - harness.recordsOf(log).length
}

describe('which log is compacted, and when', () => {
  it('looks again after log.cleaner.backoff.ms', async () => {
    const { harness, log } = started()
    fill(harness, log)
    await harness.pass(BACKOFF - 1)
    assert.equal(goneCount(harness, log), 0)
    await harness.pass(1)
    assert(goneCount(harness, log) > 25)
    fill(harness, log)
    await harness.pass(BACKOFF)
    assert(goneCount(harness, log) > 55)
  })

  it('one that is dirtier than min.cleanable.dirty.ratio', async () => {
    const { harness, log } = started({ minCleanableDirtyRatio: 0.6 })
    for (let i = 0; i < 30; i++) harness.put(log, `key${i}=${i}`)
    await harness.pass(BACKOFF)
    assert.equal(harness.fs.readFile(CHECKPOINT).toString(), '0\n1\nt 0 28\n')
    for (let i = 0; i < 30; i++) harness.put(log, `key${i}=${i}`)
    await harness.pass(BACKOFF)
    assert.equal(goneCount(harness, log), 0)
    for (let i = 0; i < 30; i++) harness.put(log, `key${i}=${i}`)
    await harness.pass(BACKOFF)
    assert(goneCount(harness, log) > 50)
  })

  it('none without cleanup.policy compact, until it is set', async () => {
    const { harness, log } = started({ isCompacted: false, isDeleted: true })
    fill(harness, log)
    await harness.pass(BACKOFF)
    assert.equal(goneCount(harness, log), 0)
    log.configure({ ...(log as unknown as { config: LogConfig }).config, isCompacted: true })
    await harness.pass(BACKOFF)
    assert(goneCount(harness, log) > 25)
  })

  it('nothing with log.cleaner.enable false, or without a thread', async () => {
    for (const off of [{ isEnabled: false }, { threadCount: 0 }]) {
      const { harness, log } = started({}, off)
      fill(harness, log)
      await harness.pass(BACKOFF)
      assert.equal(goneCount(harness, log), 0)
    }
  })

  it('no record that is younger than min.compaction.lag.ms', async () => {
    const { harness, log } = started({ minCompactionLagMs: HOUR })
    fill(harness, log, 20)
    harness.clock.timeMs += HOUR / 2
    fill(harness, log, 20)
    await harness.pass(BACKOFF)
    assert.equal(goneCount(harness, log), 0)
    harness.clock.timeMs += HOUR / 2
    await harness.pass(BACKOFF)
    const gone = goneCount(harness, log)
    assert(gone > 8 && gone < 20, `${gone} gone`)
  })

  it('one that is hardly dirty, once a record waits for max.compaction.lag.ms', async () => {
    const lag = { minCleanableDirtyRatio: 1, maxCompactionLagMs: HOUR }
    const { harness, log } = started(lag)
    fill(harness, log)
    await harness.pass(BACKOFF)
    assert.equal(goneCount(harness, log), 0)
    await harness.pass(HOUR)
    assert(goneCount(harness, log) > 25)
  })
})

describe('cleaner-offset-checkpoint', () => {
  it('tells the next start how far logs are clean', async () => {
    const { harness, log } = started()
    fill(harness, log)
    await harness.pass(BACKOFF)
    const content = harness.fs.readFile(CHECKPOINT).toString()
    assert.match(content, /^0\n1\nt 0 3[0-9]\n$/)
    await harness.stop()
    harness.start()
    const again = harness.openCompacted()
    harness.manager.start()
    const before = harness.meter.count('spool_log_cleaner_rounds_total')
    await harness.pass(BACKOFF)
    assert.equal(harness.meter.count('spool_log_cleaner_rounds_total'), before)
    assert.equal(again.logEndOffset, 40)
  })

  it('that is damaged, or of a log that ends before, means a start from the beginning', async () => {
    for (const content of ['nonsense', '0\n1\nt 0 9999\n']) {
      const { harness, log } = started()
      fill(harness, log)
      await harness.stop()
      harness.fs.writeFileAtomic(CHECKPOINT, content)
      harness.start()
      const again = harness.openCompacted()
      harness.manager.start()
      await harness.pass(BACKOFF)
      assert(goneCount(harness, again) > 25)
    }
  })

  it('does not outlive its log', async () => {
    const { harness, log } = started()
    fill(harness, log)
    await harness.pass(BACKOFF)
    harness.manager.deleteLog(log)
    const next = harness.openCompacted()
    fill(harness, next)
    await harness.pass(BACKOFF)
    assert(goneCount(harness, next) > 25)
  })
})

describe('retention beside compaction', () => {
  it('takes old segments with compact,delete, and only deleted records with compact', async () => {
    for (const isDeleted of [true, false]) {
      const { harness, log } = started({ isDeleted, retentionMs: HOUR })
      fill(harness, log)
      await harness.pass(2 * HOUR)
      await harness.pass(BACKOFF)
      assert.equal(log.logStartOffset, isDeleted ? 40 : 0)
      if (isDeleted) continue
      await harness.wait(log.deleteRecordsBefore(38))
      await harness.pass(HOUR)
      assert.equal(log.logStartOffset, 38)
      const [first] = harness.fileNames().filter((name) => name.endsWith('.log'))
      assert(Number.parseInt(first as string, 10) > 30, first)
    }
  })
})

describe('compaction that does not go as planned', () => {
  for (const [position, problem] of [
    [69, 'at position 0, the CRC of a batch is wrong'],
    [70, 'at position 70, the offset of a batch does not belong there'],
  ] as const) {
    it(`leaves a log alone from then on that is damaged ${problem}; others go on`, async () => {
      const { harness, log } = started()
      const other = harness.open({ ...COMPACTED }, 'other')
      fill(harness, log)
      fill(harness, other)
      const handle = harness.fs.open(harness.pathOf('00000000000000000000.log'), 'write')
      handle.writeNow([Buffer.from([0x7f])], position)
      handle.close()
      await harness.pass(BACKOFF)
      await harness.pass(BACKOFF)
      assert(goneCount(harness, other) > 25)
      assert.equal(harness.meter.read('spool_log_cleaner_uncleanable'), 1)
      const [error, ...more] = harness.lines.filter(({ level }) => level === 'error')
      assert(
        String(error?.fields['error']).includes(
          `/t-0/00000000000000000000.log is damaged ${problem}`,
        ),
      )
      assert.deepEqual(more, [])
      assert(!log.isFailed)
    })
  }

  it('tries again when the disk was full, and leaves nothing behind', async () => {
    const { harness, log } = started()
    fill(harness, log)
    harness.fs.fault = (operation, path) =>
      operation === 'write' && path.endsWith('.cleaned') ? { code: 'ENOSPC' } : undefined
    await harness.pass(BACKOFF)
    assert(!harness.fileNames().some((name) => name.endsWith('.cleaned')))
    assert.equal(goneCount(harness, log), 0)
    assert.equal(harness.meter.read('spool_log_cleaner_uncleanable'), 0)
    harness.fs.fault = undefined
    await harness.pass(BACKOFF)
    assert(goneCount(harness, log) > 25)
  })
})

describe('compaction that is disturbed', () => {
  it('gives up a log that is deleted meanwhile', async () => {
    const { harness, log } = started({}, { maxIoBytesPerSecond: 1000 })
    fill(harness, log)
    harness.scheduler.advance(BACKOFF)
    await Promise.resolve()
    harness.manager.deleteLog(log)
    await harness.pass(60_000)
    assert.deepEqual(
      harness.lines.filter(({ level }) => level === 'error'),
      [],
    )
    assert(!harness.fs.list('/data').includes('t-0'))
  })

  it('gives up what retention takes meanwhile', async () => {
    const { harness, log } = started({}, { maxIoBytesPerSecond: 1000 })
    fill(harness, log)
    harness.scheduler.advance(BACKOFF)
    await Promise.resolve()
    await harness.wait(log.deleteRecordsBefore(20))
    await harness.pass(60_000)
    assert.deepEqual(
      harness.lines.filter(({ level }) => level === 'error'),
      [],
    )
    assert.deepEqual(harness.table(log), { a: '39', b: '37', c: '38' })
    assert(!harness.fileNames().some((name) => /swap|cleaned/.test(name)))
  })

  it('stops with the broker, also in the middle', async () => {
    const { harness, log } = started({}, { maxIoBytesPerSecond: 1000 })
    fill(harness, log)
    harness.scheduler.advance(BACKOFF)
    await Promise.resolve()
    await harness.stop()
    harness.start()
    const again = harness.openCompacted()
    assert.equal(goneCount(harness, again), 0)
    assert(!harness.fileNames().some((name) => /swap|cleaned/.test(name)))
  })

  it('works at log.cleaner.io.max.bytes.per.second', async () => {
    const { harness, log } = started({}, { maxIoBytesPerSecond: 1000 })
    fill(harness, log)
    const bytes = log.sizeBytes
    const before = harness.clock.timeMs + BACKOFF
    await harness.pass(BACKOFF)
    while (harness.meter.count('spool_log_cleaner_rounds_total') === 0) await harness.pass(10)
    const tookMs = harness.clock.timeMs - before
    const readTwice =
      2 * (bytes - 300) + harness.meter.count('spool_log_cleaner_written_bytes_total')
    assert(
      tookMs >= readTwice - 1000 && tookMs < readTwice + 1000,
      `${tookMs} ms, ${readTwice} bytes`,
    )
  })
})
