import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PartitionLog } from '../../../../src/ports/partition-log.ts'
import { append, batchOf, Harness, readAll } from '../log-harness.ts'

const LOG = '00000000000000000000.log'
const SIZE = batchOf().byteLength

/** Five batches of one record, written and synced. */
function filled(config: Parameters<Harness['open']>[0] = {}): Harness {
  const harness = new Harness()
  const log = harness.open(config)
  for (let i = 0; i < 5; i++) {
    append(log, batchOf())
    harness.settle()
  }
  return harness
}

function restartAfterKill(harness: Harness, config: Parameters<Harness['open']>[0] = {}) {
  harness.kill()
  harness.start()
  return harness.open(config)
}

function change(harness: Harness, name: string, edit: (content: Buffer) => Buffer): void {
  const path = harness.pathOf(name)
  const content = edit(harness.fs.readFile(path))
  const handle = harness.fs.open(path, 'write')
  handle.truncate(0)
  handle.writeNow([content], 0)
  handle.close()
}

/** Appends one more and reads everything: the log works and no offset has a hole or a twin. */
function expectWorks(harness: Harness, log: PartitionLog, endOffset: number): void {
  assert.equal(log.logEndOffset, endOffset)
  assert.equal(log.highWatermark, endOffset)
  assert.equal(append(log, batchOf()).baseOffset, endOffset)
  harness.settle()
  assert.deepEqual(
    readAll(harness, log),
    Array.from({ length: endOffset + 1 }, (_, offset) => [offset, offset]),
  )
}

describe('recovery after kill -9', () => {
  it('finds everything that was acknowledged, and goes on behind it', () => {
    const harness = new Harness()
    const log = harness.open()
    let acked = 0
    for (let i = 0; i < 500; i++) {
      append(log, batchOf())
      if (i % 7 === 0) harness.settle()
      acked = log.highWatermark
    }
    assert(acked > 400)
    const again = restartAfterKill(harness)
    assert(again.logEndOffset >= acked)
    expectWorks(harness, again, again.logEndOffset)
  })

  it('cuts a torn end at the last valid batch, wherever it is torn', () => {
    const harness = filled()
    const whole = harness.fs.readFile(harness.pathOf(LOG))
    for (let length = 0; length <= whole.byteLength; length++) {
      change(harness, LOG, () => whole.subarray(0, length))
      harness.lines.length = 0
      const log = restartAfterKill(harness)
      const kept = Math.floor(length / SIZE)
      assert.equal(log.logEndOffset, kept, `cut at ${length}`)
      assert.equal(log.highWatermark, kept)
      assert.equal(log.sizeBytes, kept * SIZE)
      assert.equal(harness.fs.stat(harness.pathOf(LOG))?.sizeBytes, kept * SIZE)
      const isTorn = length % SIZE !== 0
      assert.equal(harness.lines.filter(({ text }) => /^cut/.test(text)).length, isTorn ? 1 : 0)
      if (length % 50 === 0) expectWorks(harness, log, kept)
    }
  })

  it('cuts zeros that the file system left', () => {
    const harness = filled()
    change(harness, LOG, (content) => Buffer.concat([content, Buffer.alloc(5000)]))
    const log = restartAfterKill(harness)
    expectWorks(harness, log, 5)
    assert(harness.lines.some(({ text }) => text === 'cut zeros off the end of a log'))
    assert(!harness.lines.some(({ level }) => level === 'warn' || level === 'error'))
  })
})

describe('recovery of a damaged segment', () => {
  it('reports damage in the middle and keeps what it takes out', () => {
    const harness = filled()
    const whole = harness.fs.readFile(harness.pathOf(LOG))
    change(harness, LOG, (content) => {
      content[SIZE * 2 + 65] = (content[SIZE * 2 + 65] as number) ^ 1
      return content
    })
    const damaged = harness.fs.readFile(harness.pathOf(LOG))
    const log = restartAfterKill(harness)
    expectWorks(harness, log, 2)
    const line = harness.lines.find(({ level }) => level === 'error')
    const { position, cutBytes, nextValidPosition, problem } = line?.fields ?? {}
    assert.deepEqual([position, cutBytes, nextValidPosition], [SIZE * 2, SIZE * 3, SIZE * 3])
    assert.equal(problem, 'the CRC of a batch is wrong')
    const copy = harness.fs.readFile(`${harness.pathOf(LOG)}.corrupt-${SIZE * 2}`)
    assert.deepEqual(copy, damaged.subarray(SIZE * 2))
    assert.equal(copy.byteLength, whole.byteLength - SIZE * 2)
  })

  it('finds valid batches behind a damaged length', () => {
    const harness = filled()
    change(harness, LOG, (content) => {
      content.writeInt32BE(0x7fff_ff00, SIZE + 8)
      return content
    })
    const log = restartAfterKill(harness)
    assert.equal(log.logEndOffset, 1)
    const line = harness.lines.find(({ level }) => level === 'error')
    const { nextValidPosition } = line?.fields ?? {}
    assert.equal(nextValidPosition, SIZE * 2)
  })

  it('does not take an offset that goes back, which the CRC does not cover', () => {
    const harness = filled()
    change(harness, LOG, (content) => {
      content.writeInt32BE(1, SIZE * 4 + 4)
      return content
    })
    const log = restartAfterKill(harness)
    assert.equal(log.logEndOffset, 4)
  })
})

describe('recovery of several segments', () => {
  const config = { segmentBytes: SIZE * 2 }

  it('sets segments behind a damaged one aside, with all their bytes', () => {
    const harness = filled(config)
    change(harness, LOG, (content) => content.subarray(0, SIZE + 10))
    const log = restartAfterKill(harness, config)
    assert.equal(log.logEndOffset, 1)
    const aside = harness.fs.list('/data/t-0').filter((name) => name.includes('.corrupt-'))
    assert.deepEqual(aside, [
      '00000000000000000002.log.corrupt-0',
      '00000000000000000004.log.corrupt-0',
    ])
    expectWorks(harness, log, 1)
  })

  it('does not look at segments below the recovery point', () => {
    const harness = filled(config)
    harness.manager.start()
    harness.scheduler.advance(60_000)
    assert.equal(
      harness.fs.readFile('/data/recovery-point-offset-checkpoint').toString(),
      '0\n1\nt 0 4\n',
    )
    // Damage that only a scan would notice.
    change(harness, LOG, (content) => {
      content[65] = (content[65] as number) ^ 1
      return content
    })
    const log = restartAfterKill(harness, config)
    assert.equal(log.logEndOffset, 5)
    assert(!harness.lines.some(({ level }) => level === 'error'))
  })

  it('removes what retention had on its way out, and indexes without a log', () => {
    const harness = filled(config)
    const handle = harness.fs.open(harness.pathOf('00000000000000000009.index'), 'create')
    handle.writeNow([Buffer.alloc(8, 1)], 0)
    harness.fs.open(harness.pathOf('00000000000000000000.log.deleted'), 'create').close()
    harness.fs.open(harness.pathOf('00000000000000000000.log.cleaned'), 'create').close()
    restartAfterKill(harness, config)
    const names = harness.fs.list('/data/t-0')
    assert(!names.some((name) => /deleted|cleaned|0009\.index/.test(name)), names.join())
  })
})

describe('recovery after a power failure', () => {
  it('loses nothing that was acknowledged, whenever it comes', () => {
    // The number of disk operations after which the power goes.
    for (let stopAt = 0; stopAt < 60; stopAt++) {
      const harness = new Harness()
      const log = harness.open({ segmentBytes: SIZE * 2 })
      let operations = 0
      harness.fs.fault = () => (operations++ >= stopAt ? { code: 'EIO' } : undefined)
      let acked = 0
      for (let i = 0; i < 8; i++) {
        const outcome = append(log, batchOf())
        harness.settle()
        if (outcome.told === 0) acked = outcome.lastOffset + 1
        if (log.isFailed) break
      }
      harness.fs.fault = undefined
      harness.fs.crash()
      harness.start()
      const again = harness.open({ segmentBytes: SIZE * 2 })
      assert(again.logEndOffset >= acked, `stopped at ${stopAt}: ${again.logEndOffset} < ${acked}`)
      expectWorks(harness, again, again.logEndOffset)
    }
  })

  it('loses nothing that recovery showed to readers', () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf())
    append(log, batchOf())
    harness.finishTurn()
    assert.equal(restartAfterKill(harness).highWatermark, 2)
    harness.fs.crash()
    harness.start()
    expectWorks(harness, harness.open(), 2)
  })

  it('forgets leader epochs of records that it took', () => {
    const harness = new Harness()
    harness.manager.start()
    const log = harness.open({ durability: 'os' }, 't', 4)
    append(log, batchOf())
    harness.settle()
    log.setLeaderEpoch(6)
    append(log, batchOf(5))
    harness.settle()
    harness.scheduler.advance(60_000)
    assert.match(harness.fs.readFile('/data/t-0/leader-epoch-checkpoint').toString(), /6 1/)
    harness.fs.crash()
    harness.start()
    const again = harness.open({}, 't', 7)
    assert.equal(again.logEndOffset, 0)
    assert.equal(again.epochForOffset(1), -1)
    expectWorks(harness, again, 0)
    assert.equal(again.epochForOffset(0), 7)
  })

  it('keeps what the disk happened to write, up to a whole batch', () => {
    const harness = new Harness()
    const log = harness.open()
    append(log, batchOf())
    harness.settle()
    append(log, batchOf(), 'written')
    append(log, batchOf(), 'written')
    harness.finishTurn()
    harness.fs.crash((path, synced, written) =>
      path.endsWith('.log') ? Math.floor((synced + SIZE + written) / 2) : synced,
    )
    harness.start()
    expectWorks(harness, harness.open(), 2)
  })
})

describe('a log that was hardly made', () => {
  it('opens a partition whose directory was made but nothing in it', () => {
    const harness = new Harness()
    harness.fs.makeDirectory('/data/t-0')
    harness.fs.syncDirectory('/data')
    harness.fs.crash()
    harness.start()
    expectWorks(harness, harness.open(), 0)
  })
})

describe('files that can be made again', () => {
  for (const stop of ['a clean stop', 'kill -9']) {
    for (const suffix of ['.index', '.timeindex', '.snapshot']) {
      it(`a missing ${suffix} after ${stop}`, async () => {
        const config = { segmentBytes: 10_000, indexIntervalBytes: 100 }
        const harness = new Harness()
        const log = harness.open(config)
        for (let i = 0; i < 300; i++) append(log, batchOf(1, {}, 10, 1000 + i))
        harness.settle()
        if (stop === 'kill -9') harness.kill()
        else await harness.stop()
        for (const name of harness.fs.list('/data/t-0'))
          if (name.endsWith(suffix)) harness.fs.remove(harness.pathOf(name))
        harness.start()
        const again = harness.open(config)
        assert.equal(readAll(harness, again).length, 300)
        const found = await harness.until(again.offsetForTimestamp(1123, 300))
        assert.equal(found?.offset, 123)
      })
    }
  }

  it('a damaged producer snapshot is reported and left out', async () => {
    const harness = new Harness()
    const log = harness.open()
    const now = harness.clock.timeMs
    append(log, batchOf(2, { producerId: 3, producerEpoch: 0, baseSequence: 0 }, 10, now))
    await harness.stop()
    change(harness, '00000000000000000002.snapshot', (content) => {
      content[20] = (content[20] as number) ^ 1
      return content
    })
    harness.start()
    assert.equal(harness.open().activeProducers()[0]?.lastSequence, 1)
    assert(harness.lines.some(({ text }) => text.includes('snapshot is damaged')))
  })

  it('a clean mark on a log with a torn end is not believed', async () => {
    const harness = filled()
    await harness.stop()
    change(harness, LOG, (content) => Buffer.concat([content, Buffer.from('torn')]))
    harness.start()
    assert.equal(harness.manager.isAfterCrash, false)
    expectWorks(harness, harness.open(), 5)
  })

  it('leader epochs are read from the batches after a crash', () => {
    const harness = new Harness()
    const log = harness.open({}, 't', 4)
    append(log, batchOf(3))
    harness.settle()
    log.setLeaderEpoch(6)
    append(log, batchOf(2))
    harness.settle()
    harness.kill()
    harness.start()
    const again = harness.open({}, 't', 7)
    assert.deepEqual(
      [0, 2, 3, 4].map((offset) => again.epochForOffset(offset)),
      [4, 4, 6, 6],
    )
  })
})
