import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError, StorageError } from '../../../src/base/errors.ts'
import { append, batchOf, CONFIG, Harness } from './log-harness.ts'

const MARKER = '/data/.kafka_cleanshutdown'

describe('the mark of a clean stop', () => {
  it('is written last and says that nothing is to recover', async () => {
    const harness = new Harness()
    append(harness.open(), batchOf())
    await harness.stop()
    harness.fs.crash()
    harness.start()
    assert.equal(harness.manager.isAfterCrash, false)
  })

  it('is gone before the first write, also after a power failure', async () => {
    const harness = new Harness()
    append(harness.open(), batchOf())
    await harness.stop()
    harness.start()
    const log = harness.open()
    assert(harness.fs.stat(MARKER) !== undefined, 'opening writes nothing')
    append(log, batchOf())
    harness.finishTurn()
    assert.equal(harness.fs.stat(MARKER), undefined)
    harness.fs.crash()
    harness.start()
    assert.equal(harness.manager.isAfterCrash, true)
  })

  it('is missing in a new directory without that being a crash', () => {
    assert.equal(new Harness().manager.isAfterCrash, false)
  })

  it('is not written when logs were not looked at since a crash', async () => {
    const harness = new Harness()
    append(harness.open({}, 'a'), batchOf())
    append(harness.open({}, 'b'), batchOf())
    harness.settle()
    harness.kill()
    harness.start()
    harness.open({}, 'a')
    await harness.stop()
    harness.start()
    assert.equal(harness.manager.isAfterCrash, true)
  })

  it('is kept by a start that failed before it wrote', async () => {
    const harness = new Harness()
    append(harness.open({}, 'a'), batchOf())
    append(harness.open({}, 'b'), batchOf())
    await harness.stop()
    harness.start()
    harness.open({}, 'a')
    await harness.stop()
    harness.start()
    assert.equal(harness.manager.isAfterCrash, false)
    assert.equal(harness.open({}, 'b').logEndOffset, 1)
  })
})

describe('checkpoints', () => {
  it('keep the lines of logs that were not opened', async () => {
    const harness = new Harness()
    for (const topic of ['a', 'b']) {
      const log = harness.open({}, topic)
      for (let i = 0; i < 3; i++) append(log, batchOf())
      harness.settle()
      await harness.until(log.deleteRecordsBefore(2))
    }
    await harness.stop()
    harness.start()
    harness.open({}, 'a')
    await harness.stop()
    const lines = harness.fs.readFile('/data/log-start-offset-checkpoint').toString()
    assert.equal(lines, '0\n2\na 0 2\nb 0 2\n')
    const points = harness.fs.readFile('/data/recovery-point-offset-checkpoint').toString()
    assert.equal(points, '0\n2\na 0 3\nb 0 3\n')
  })

  it('lose the lines of a deleted log, so that a new one of the name starts at 0', async () => {
    const harness = new Harness()
    const log = harness.open()
    for (let i = 0; i < 3; i++) append(log, batchOf())
    harness.settle()
    await harness.until(log.deleteRecordsBefore(2))
    harness.manager.deleteLog(log)
    assert.equal(harness.open().logStartOffset, 0)
    await harness.stop()
    harness.start()
    assert.equal(harness.open().logStartOffset, 0)
  })

  it('that are damaged are refused with the place and the remedy', async () => {
    const harness = new Harness()
    await harness.stop()
    harness.fs.writeFileAtomic('/data/log-start-offset-checkpoint', '0\n1\ngarbage\n')
    assert.throws(
      () => harness.start(),
      (error) =>
        error instanceof StorageError &&
        /log-start-offset-checkpoint is damaged in line 3/.test(error.message),
    )
    // The lock was given back.
    harness.fs.writeFileAtomic('/data/log-start-offset-checkpoint', '0\n0\n')
    harness.start()
  })

  it('never say that more is synced than is', () => {
    const harness = new Harness()
    const log = harness.open({ durability: 'os', segmentBytes: 200 })
    harness.manager.start()
    for (let i = 0; i < 6; i++) append(log, batchOf())
    harness.finishTurn()
    harness.scheduler.advance(60_000)
    const read = () => harness.fs.readFile('/data/recovery-point-offset-checkpoint').toString()
    assert.equal(read(), '0\n1\nt 0 0\n')
    harness.settle()
    harness.scheduler.advance(60_000)
    assert.equal(read(), '0\n1\nt 0 4\n')
  })
})

describe('checkpoints and what is on disk', () => {
  it('say nothing of a new log by the name of a deleted one', async () => {
    const harness = new Harness({ checkpointIntervalMs: 1000 })
    const log = harness.open()
    for (let i = 0; i < 3; i++) append(log, batchOf())
    harness.settle()
    await harness.until(log.deleteRecordsBefore(2))
    harness.manager.deleteLog(log)
    harness.kill()
    harness.start()
    const again = harness.open()
    assert.deepEqual([again.logStartOffset, again.logEndOffset], [0, 0])
    append(again, batchOf(3))
    harness.settle()
    harness.kill()
    harness.start()
    assert.equal(harness.open().logStartOffset, 0)
  })

  it('have no recovery point beyond a segment whose size and indexes are not synced', () => {
    const harness = new Harness({ checkpointIntervalMs: 1000 })
    harness.manager.start()
    const log = harness.open({ segmentBytes: 150 })
    append(log, batchOf())
    harness.finishTurn()
    // The next one rolls at the end of this sync, which does not cover what the roll writes.
    append(log, batchOf())
    harness.runDisk()
    harness.scheduler.advance(1000)
    const points = harness.fs.readFile('/data/recovery-point-offset-checkpoint').toString()
    assert.equal(points, '0\n1\nt 0 0\n')
  })
})

describe('directories', () => {
  it('of another topic id are refused when they hold records', async () => {
    const harness = new Harness()
    append(harness.open(), batchOf())
    await harness.stop()
    harness.start()
    const identity = { topic: 't', topicId: 'BBBBBBBBBBBBBBBBBBBBBA', partition: 0, leaderEpoch: 0 }
    assert.throws(
      () => harness.manager.openLog(identity, CONFIG, harness),
      (error) => error instanceof StorageError && /belongs to another topic/.test(error.message),
    )
  })

  it('are opened once', () => {
    const harness = new Harness()
    harness.open()
    assert.throws(() => harness.open(), StorageError)
  })

  it('of a deleted log go after file.delete.delay.ms', () => {
    const harness = new Harness()
    const log = harness.open({ fileDeleteDelayMs: 5000 })
    append(log, batchOf())
    harness.settle()
    harness.manager.deleteLog(log)
    const retired = () => harness.fs.list('/data').filter((name) => name.endsWith('-delete'))
    assert.match(retired()[0] ?? '', /^t-0\.[0-9a-f]{32}-delete$/)
    harness.scheduler.advance(4999)
    assert.equal(retired().length, 1)
    harness.scheduler.advance(1)
    assert.equal(retired().length, 0)
  })

  it('of a deleted log that a kill left are removed by the next run', () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf())
    harness.settle()
    harness.manager.deleteLog(log)
    harness.kill()
    harness.start()
    harness.manager.start()
    harness.scheduler.advance(60_000)
    assert(!harness.fs.list('/data').some((name) => name.endsWith('-delete')))
  })

  it('that no topic owns are set aside with their content', () => {
    const harness = new Harness()
    append(harness.open({}, 'kept'), batchOf())
    append(harness.open({}, 'stray'), batchOf())
    harness.settle()
    harness.fs.makeDirectory('/data/__cluster_metadata-0')
    harness.fs.makeDirectory('/data/lost+found')
    harness.kill()
    harness.start()
    harness.open({}, 'kept')
    assert.deepEqual(harness.manager.setAsideStrays(), ['stray-0'])
    const names = harness.fs.list('/data')
    const aside = names.find((name) => /^stray-0\.[0-9a-f]{32}-stray$/.test(name))
    assert(harness.fs.stat(`/data/${aside}/00000000000000000000.log`)?.sizeBytes)
    assert(names.includes('kept-0'))
    assert(names.includes('__cluster_metadata-0'))
    assert(names.includes('lost+found'))
  })

  it('have a lock while they are open', async () => {
    const harness = new Harness()
    assert.throws(() => harness.start(), ConfigError)
    await harness.stop()
    harness.start()
  })
})

describe('many partitions', () => {
  it('start without opening a file of a segment that nobody reads', async () => {
    const harness = new Harness()
    for (let i = 0; i < 3; i++) {
      const log = harness.open({ segmentBytes: 200 }, `topic${i}`)
      for (let k = 0; k < 9; k++) append(log, batchOf())
    }
    await harness.stop()
    harness.start()
    const opened: string[] = []
    harness.fs.fault = (operation, path) => {
      if (operation === 'open' && path.endsWith('.log')) opened.push(path)
      return undefined
    }
    for (let i = 0; i < 3; i++) harness.open({ segmentBytes: 200 }, `topic${i}`)
    assert.deepEqual(
      opened.map((path) => path.slice(-8)),
      ['0008.log', '0008.log', '0008.log'],
    )
  })
})
