import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StorageError } from '../../../src/base/errors.ts'
import type { PartitionLog } from '../../../src/ports/partition-log.ts'
import { patchBaseOffset } from '../../../src/records/record-batch.ts'
import { append, batchOf, Harness, readAll } from './log-harness.ts'

const SIZE = batchOf().byteLength
const CONFIG = { segmentBytes: 3 * SIZE }
const NAMES = ['00000000000000000000', '00000000000000000003', '00000000000000000006']
const STOPS = ['a clean stop', 'kill -9'] as const

type Stop = (typeof STOPS)[number]

/** Eight records in three segments. */
function filled(): Harness {
  const harness = new Harness()
  const log = harness.open(CONFIG)
  for (let i = 0; i < 8; i++) append(log, batchOf(1, {}, 10, harness.clock.timeMs + i))
  harness.settle()
  return harness
}

async function stop(harness: Harness, how: Stop): Promise<void> {
  if (how === 'kill -9') harness.kill()
  else await harness.stop()
}

function put(harness: Harness, path: string, content: Buffer | string): void {
  const handle = harness.fs.open(path, 'create')
  handle.truncate(0)
  handle.writeNow([Buffer.from(content as string)], 0)
  handle.dataSyncNow()
  handle.close()
}

const offsets = (harness: Harness, log: PartitionLog) => readAll(harness, log).map(([base]) => base)

/** The log takes one more at its end, and gives all again. */
function expectWorks(harness: Harness, log: PartitionLog, expected: readonly number[]): void {
  assert.deepEqual(offsets(harness, log), expected)
  assert.equal(append(log, batchOf()).baseOffset, 8)
  harness.settle()
  assert.deepEqual(offsets(harness, log), [...expected, 8])
}

const ALL = [0, 1, 2, 3, 4, 5, 6, 7]

describe('foreign files in the directory of a partition', () => {
  const foreign = [
    'notes.txt',
    'copy.log',
    '5.log',
    '00000000000000000003.log.bak',
    'x.index',
    'a.tmp',
    'b.deleted',
  ]
  for (const how of STOPS) {
    it(`are left alone, after ${how}`, async () => {
      const harness = filled()
      await stop(harness, how)
      for (const name of foreign) put(harness, harness.pathOf(name), 'mine')
      harness.fs.makeDirectory(harness.pathOf('lost+found'))
      harness.start()
      expectWorks(harness, harness.open(CONFIG), ALL)
      await harness.stop()
      for (const name of foreign)
        assert.equal(harness.fs.readFile(harness.pathOf(name)).toString(), 'mine')
      assert(harness.fs.stat(harness.pathOf('lost+found'))?.isDirectory)
    })
  }

  it('go with the directory when the topic is deleted', () => {
    const harness = filled()
    put(harness, harness.pathOf('notes.txt'), 'mine')
    const log = harness.open(CONFIG, 'other')
    harness.manager.deleteLog(log)
    harness.scheduler.advance(60_000)
    assert.deepEqual(
      harness.fs.list('/data').filter((name) => name.startsWith('other')),
      [],
    )
    assert.equal(harness.fs.readFile(harness.pathOf('notes.txt')).toString(), 'mine')
  })
})

describe('a gap in the offsets', () => {
  for (const how of STOPS) {
    it(`between segments is what compaction leaves: readers go on behind it, after ${how}`, async () => {
      const harness = filled()
      await stop(harness, how)
      for (const suffix of ['.log', '.index', '.timeindex'])
        harness.fs.remove(harness.pathOf(`${NAMES[1]}${suffix}`))
      harness.start()
      const log = harness.open(CONFIG)
      assert.deepEqual([log.logStartOffset, log.logEndOffset], [0, 8])
      expectWorks(harness, log, [0, 1, 2, 6, 7])
    })

    it(`inside a segment too, after ${how}`, async () => {
      const harness = filled()
      await stop(harness, how)
      const path = harness.pathOf(`${NAMES[1]}.log`)
      const content = harness.fs.readFile(path)
      put(harness, path, Buffer.concat([content.subarray(0, SIZE), content.subarray(2 * SIZE)]))
      harness.start()
      expectWorks(harness, harness.open(CONFIG), [0, 1, 2, 3, 5, 6, 7])
    })
  }

  it('at the start of a log moves its start up', async () => {
    const harness = filled()
    await harness.stop()
    harness.fs.remove(harness.pathOf(`${NAMES[0]}.log`))
    harness.start()
    const log = harness.open(CONFIG)
    assert.equal(log.logStartOffset, 3)
    expectWorks(harness, log, [3, 4, 5, 6, 7])
  })
})

describe('offsets that are there twice', () => {
  it('are cut off the earlier segment after a crash, with a copy', () => {
    const harness = filled()
    harness.kill()
    const path = harness.pathOf(`${NAMES[0]}.log`)
    const twice = batchOf()
    patchBaseOffset(twice, 0, 3)
    put(harness, path, Buffer.concat([harness.fs.readFile(path), twice]))
    harness.start()
    expectWorks(harness, harness.open(CONFIG), ALL)
    assert.deepEqual(harness.fs.readFile(`${path}.corrupt-${3 * SIZE}`).byteLength, SIZE)
    const errors = harness.lines.filter(({ level }) => level === 'error')
    assert.deepEqual(
      errors.map(({ fields }) => fields['problem']),
      ['the offset of a batch is in the next segment'],
    )
  })

  it('inside a segment are damage: what follows is taken out, with a copy', () => {
    const harness = filled()
    harness.kill()
    const path = harness.pathOf(`${NAMES[2]}.log`)
    const again = batchOf()
    patchBaseOffset(again, 0, 6)
    const last = batchOf()
    patchBaseOffset(last, 0, 8)
    put(harness, path, Buffer.concat([harness.fs.readFile(path), again, last]))
    harness.start()
    expectWorks(harness, harness.open(CONFIG), ALL)
    assert.equal(harness.fs.readFile(`${path}.corrupt-${2 * SIZE}`).byteLength, 2 * SIZE)
  })
})

describe('an offset of a batch that no segment can have, which no CRC covers', () => {
  for (const how of STOPS) {
    it(`in the last batch is damage, after ${how}: the batch is cut with a warning`, async () => {
      const harness = filled()
      await stop(harness, how)
      const path = `/data/t-0/${NAMES[2]}.log`
      const content = harness.fs.readFile(path)
      content.writeUInt8(0x10, content.byteLength - SIZE)
      put(harness, path, content)
      harness.start()
      const log = harness.open(CONFIG)
      assert.equal(log.logEndOffset, 7)
      assert.ok(harness.lines.some(({ level }) => level === 'warn'))
      assert.deepEqual(offsets(harness, log), ALL.slice(0, 7))
    })
  }

  it('does not stop a start that makes the indexes of its segment again', async () => {
    const harness = filled()
    await stop(harness, 'a clean stop')
    const path = `/data/t-0/${NAMES[1]}.log`
    const content = harness.fs.readFile(path)
    content.writeUInt8(0x10, SIZE)
    put(harness, path, content)
    for (const suffix of ['index', 'timeindex'])
      put(harness, `/data/t-0/${NAMES[1]}.${suffix}`, 'x')
    harness.start()
    const log = harness.open(CONFIG)
    assert.equal(log.logEndOffset, 8)
    assert.deepEqual(await harness.until(log.offsetForTimestamp(harness.clock.timeMs + 7, 8)), {
      offset: 7,
      timestampMs: harness.clock.timeMs + 7,
      leaderEpoch: 0,
    })
  })
})

describe('a recovery point beyond the end of the log', () => {
  it('is of another log: everything is checked', () => {
    const harness = filled()
    harness.kill()
    const path = harness.pathOf(`${NAMES[0]}.log`)
    const content = harness.fs.readFile(path)
    content[SIZE + 65] = (content[SIZE + 65] as number) ^ 1
    put(harness, path, content)
    put(harness, '/data/recovery-point-offset-checkpoint', '0\n1\nt 0 5000\n')
    harness.start()
    assert.equal(harness.open(CONFIG).logEndOffset, 1)
    const errors = harness.lines.filter(({ level }) => level === 'error')
    assert.match(errors[0]?.text ?? '', /damaged in the middle/)
    assert.equal(harness.fs.readFile(`${path}.corrupt-${SIZE}`).byteLength, 2 * SIZE)
    assert.equal(harness.fs.readFile(harness.pathOf(`${NAMES[1]}.log.corrupt-0`)).length, 3 * SIZE)
  })
})

describe('zeros behind the last batch', () => {
  for (const how of STOPS) {
    it(`are cut off, after ${how}`, async () => {
      const harness = filled()
      await stop(harness, how)
      const path = harness.pathOf(`${NAMES[2]}.log`)
      put(harness, path, Buffer.concat([harness.fs.readFile(path), Buffer.alloc(100_000)]))
      harness.start()
      const log = harness.open(CONFIG)
      assert.equal(harness.fs.stat(path)?.sizeBytes, 2 * SIZE)
      expectWorks(harness, log, ALL)
      assert(!harness.lines.some(({ level }) => level === 'error'))
    })
  }
})

describe('two directories with one topic id', () => {
  it('is set aside when no topic has its name', async () => {
    const harness = filled()
    await harness.stop()
    harness.fs.makeDirectory('/data/copy-0')
    for (const name of ['partition.metadata', `${NAMES[0]}.log`])
      put(harness, `/data/copy-0/${name}`, harness.fs.readFile(harness.pathOf(name)))
    harness.start()
    const log = harness.open(CONFIG)
    assert.deepEqual(harness.manager.setAsideStrays(), ['copy-0'])
    expectWorks(harness, log, ALL)
    const [stray] = harness.fs.list('/data').filter((name) => name.endsWith('-stray'))
    assert.equal(harness.fs.stat(`/data/${stray}/${NAMES[0]}.log`)?.sizeBytes, 3 * SIZE)
  })

  it('is refused when a topic of another id has its name, and nothing is touched', async () => {
    const harness = filled()
    harness.open(CONFIG, 'other')
    await harness.stop()
    const metadata = '/data/other-0/partition.metadata'
    put(harness, metadata, 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAbA')
    put(
      harness,
      `/data/other-0/${NAMES[0]}.log`,
      harness.fs.readFile(harness.pathOf(`${NAMES[0]}.log`)),
    )
    harness.start()
    assert.throws(
      () => harness.open(CONFIG, 'other'),
      (error) =>
        error instanceof StorageError && /other-0 belongs to another topic/.test(error.message),
    )
    assert.equal(harness.fs.stat(`/data/other-0/${NAMES[0]}.log`)?.sizeBytes, 3 * SIZE)
    expectWorks(harness, harness.open(CONFIG), ALL)
  })
})

describe('a clock that goes back', () => {
  const DAY_MS = 86_400_000

  function produceAround(harness: Harness): { log: PartitionLog; startMs: number } {
    const startMs = harness.clock.timeMs
    const log = harness.open({ ...CONFIG, retentionMs: DAY_MS, segmentMs: 7 * DAY_MS })
    for (const timeMs of [startMs, startMs - 10 * DAY_MS, startMs - 10 * DAY_MS + 1, startMs + 1]) {
      harness.clock.timeMs = timeMs
      append(log, batchOf(1, { logAppendTime: timeMs }, 10, timeMs))
      harness.settle()
    }
    harness.clock.timeMs = startMs - 10 * DAY_MS
    return { log, startMs }
  }

  it('neither ends a segment nor moves offsets, and times are found by the first that has them', async () => {
    const harness = new Harness()
    const { log, startMs } = produceAround(harness)
    assert.deepEqual(offsets(harness, log), [0, 1, 2, 3])
    const at = async (timeMs: number) =>
      (await harness.until(log.offsetForTimestamp(timeMs, 4)))?.offset
    assert.deepEqual(
      [await at(startMs - 10 * DAY_MS), await at(startMs), await at(startMs + 1)],
      [0, 0, 3],
    )
    assert.equal((await harness.until(log.maxTimestamp(4)))?.offset, 3)
  })

  it('deletes nothing before its time, also over a restart, and forgets no producer', async () => {
    const harness = new Harness()
    const { log } = produceAround(harness)
    const producer = { producerId: 5, producerEpoch: 0, baseSequence: 0 }
    append(log, batchOf(1, producer, 10, harness.clock.timeMs + 5 * DAY_MS))
    harness.settle()
    await harness.stop()
    harness.clock.timeMs -= 20 * DAY_MS
    harness.start()
    harness.manager.start()
    const again = harness.open({ ...CONFIG, retentionMs: DAY_MS })
    harness.scheduler.advance(3_600_000)
    assert.deepEqual(offsets(harness, again), [0, 1, 2, 3, 4])
    assert.equal(again.activeProducers().length, 1)
  })
})
