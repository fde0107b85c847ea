import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StorageError } from '../../../../src/base/errors.ts'
import type { PartitionLog } from '../../../../src/ports/partition-log.ts'
import type { LogManagerOptions } from '../../../../src/storage/log-manager-options.ts'
import { append, batchOf, CONFIG, Harness, offsetsOf, readAll, readSlice } from '../log-harness.ts'

const SIZE = batchOf().byteLength
const FILES_ONLY: LogManagerOptions = { tailCacheBytes: 0 }

function filled(count: number, options: LogManagerOptions, config = {}) {
  const harness = new Harness(options)
  const log = harness.open(config)
  for (let i = 0; i < count; i++) append(log, batchOf())
  harness.settle()
  return { harness, log }
}

for (const [where, options] of [
  ['memory', {}],
  ['files', FILES_ONLY],
] as const) {
  describe(`a read from ${where}`, () => {
    it('begins with the batch that holds the offset, whole', () => {
      const harness = new Harness(options)
      const log = harness.open()
      for (let i = 0; i < 4; i++) append(log, batchOf(5))
      harness.settle()
      assert.deepEqual(offsetsOf(readSlice(harness, log, { offset: 7 })), [
        [5, 9],
        [10, 14],
        [15, 19],
      ])
    })

    it('ends before the batch that would pass maxBytes', () => {
      const { harness, log } = filled(10, options)
      const read = (maxBytes: number) => offsetsOf(readSlice(harness, log, { offset: 2, maxBytes }))
      assert.deepEqual(read(SIZE * 3), [
        [2, 2],
        [3, 3],
        [4, 4],
      ])
      assert.equal(read(SIZE * 3 - 1).length, 2)
    })

    it('returns a first batch that is larger than maxBytes only with atLeastOne', () => {
      const { harness, log } = filled(3, options)
      const read = (atLeastOne: boolean) =>
        offsetsOf(readSlice(harness, log, { offset: 1, maxBytes: 1, atLeastOne }))
      assert.deepEqual(read(true), [[1, 1]])
      assert.deepEqual(read(false), [])
    })

    it('ends before endOffset', () => {
      const { harness, log } = filled(10, options)
      assert.deepEqual(offsetsOf(readSlice(harness, log, { offset: 3, endOffset: 5 })), [
        [3, 3],
        [4, 4],
      ])
      assert.deepEqual(offsetsOf(readSlice(harness, log, { offset: 5, endOffset: 5 })), [])
    })

    it('goes through all segments when it is repeated', () => {
      const { harness, log } = filled(50, options, { segmentBytes: SIZE * 3 })
      assert.equal(readAll(harness, log).length, 50)
    })

    it('never returns what is not written yet', () => {
      const { harness, log } = filled(1, options)
      append(log, batchOf())
      const slice = readSlice(harness, log, { offset: 0, endOffset: log.logEndOffset })
      assert.deepEqual(offsetsOf(slice), [[0, 0]])
    })

    it('returns a batch that is larger than any pooled buffer', () => {
      const harness = new Harness(options)
      const log = harness.open()
      append(log, batchOf())
      append(log, batchOf(1, {}, 3_000_000))
      append(log, batchOf())
      harness.settle()
      assert.deepEqual(offsetsOf(readSlice(harness, log, { offset: 1, maxBytes: 100 })), [[1, 1]])
      assert.deepEqual(offsetsOf(readSlice(harness, log, { offset: 0 })), [[0, 0]])
      assert.deepEqual(
        offsetsOf(readSlice(harness, log, { offset: 1, maxBytes: 10, atLeastOne: false })),
        [],
      )
    })
  })
}

describe('memory of the tail', () => {
  /** A lease that knows how often it is held. */
  class CountedLease {
    readonly heldBytes: number
    holdCount = 1

    constructor(heldBytes: number) {
      this.heldBytes = heldBytes
    }

    retain(): void {
      this.holdCount++
    }

    release(): void {
      this.holdCount--
      assert(this.holdCount >= 0)
    }
  }

  it('counts a whole frame once, and lets the oldest go first, of whichever log', () => {
    const harness = new Harness({ tailCacheBytes: 2500 })
    const logs = [harness.open({}, 'a'), harness.open({}, 'b')] as const
    const frames: CountedLease[] = []
    for (let i = 0; i < 4; i++) {
      const frame = new CountedLease(1000)
      frames.push(frame)
      const log = logs[i % 2] as PartitionLog
      append(log, batchOf(), 'durable', frame)
      append(log, batchOf(), 'durable', frame)
      frame.release()
      harness.settle()
    }
    assert.deepEqual(
      frames.map(({ holdCount }) => holdCount),
      [0, 0, 2, 2],
    )
    assert.equal(harness.meter.read('spool_log_tail_bytes'), 2000)
    assert.equal(readAll(harness, logs[0]).length, 4)
  })

  it('is for 2048 batches at most, however tiny: the newest', () => {
    const harness = new Harness()
    const log = harness.open({}, 'a')
    const frame = new CountedLease(1000)
    for (let i = 0; i < 2050; i++) append(log, batchOf(), 'durable', frame)
    harness.settle()
    assert.equal(frame.holdCount, 1 + 2048)
    readSlice(harness, log, { offset: 2 }).release()
    assert.equal(harness.meter.count('spool_log_file_reads_total'), 0)
    readSlice(harness, log, { offset: 1 }).release()
    assert.equal(harness.meter.count('spool_log_file_reads_total'), 1)
  })

  it('keeps the bytes of a slice alive until it is released, whatever is evicted', () => {
    const harness = new Harness({ tailCacheBytes: 1500 })
    const log = harness.open()
    const frame = new CountedLease(1000)
    append(log, batchOf(), 'durable', frame)
    frame.release()
    harness.settle()
    const slice = readSlice(harness, log)
    append(log, batchOf(), 'durable', new CountedLease(1000))
    harness.settle()
    assert.equal(frame.holdCount, 1)
    slice.release()
    assert.equal(frame.holdCount, 0)
  })

  it('is given back when a log goes', () => {
    const harness = new Harness()
    const log = harness.open()
    const frame = new CountedLease(1000)
    append(log, batchOf(), 'durable', frame)
    frame.release()
    harness.settle()
    harness.manager.deleteLog(log)
    assert.equal(frame.holdCount, 0)
    assert.equal(harness.meter.read('spool_log_tail_bytes'), 0)
  })
})

describe('memory of reads', () => {
  it('is bounded: readers beyond it get less, but never nothing', () => {
    const { harness, log } = filled(3000, { tailCacheBytes: 0, readBufferBytes: 1_500_000 })
    const slices = Array.from({ length: 20 }, () => readSlice(harness, log, { offset: 100 }))
    assert(slices.every(({ byteLength }) => byteLength > 0))
    const used = harness.meter.read('spool_log_read_buffer_bytes')
    assert(used < 1_500_000 + 20 * 10_000, String(used))
    for (const slice of slices) slice.release()
    assert.equal(harness.meter.read('spool_log_read_buffer_bytes'), 0)
  })

  it('is given back exactly once', () => {
    const { harness, log } = filled(3, FILES_ONLY)
    const slice = readSlice(harness, log)
    slice.release()
    assert.throws(() => slice.release(), /released once/)
  })
})

describe('a damaged file', () => {
  it('is named with the position, and nothing else fails', () => {
    const { harness, log } = filled(5, FILES_ONLY)
    const path = harness.pathOf('00000000000000000000.log')
    const handle = harness.fs.open(path, 'write')
    handle.writeNow([Buffer.from([0x7f, 0, 0, 0])], SIZE * 2 + 8)
    assert.throws(
      () => readSlice(harness, log, { offset: 2 }),
      (error) =>
        error instanceof StorageError &&
        error.message.includes(`${path} is damaged at position ${SIZE * 2}`),
    )
    assert.equal(harness.meter.read('spool_log_read_buffer_bytes'), 0)
    assert.deepEqual(offsetsOf(readSlice(harness, log, { offset: 0, maxBytes: SIZE })), [[0, 0]])
  })

  it('that is shorter than it was is an error, not a wait', () => {
    const { harness, log } = filled(5, FILES_ONLY)
    harness.fs.open(harness.pathOf('00000000000000000000.log'), 'write').truncate(SIZE)
    assert.throws(() => readSlice(harness, log, { offset: 3 }), /shorter than it was/)
  })

  it('a disk that cannot read tells the reader', () => {
    const { harness, log } = filled(5, FILES_ONLY)
    harness.fs.fault = (operation) => (operation === 'read' ? { code: 'EIO' } : undefined)
    assert.throws(() => readSlice(harness, log, { offset: 3 }), StorageError)
    harness.fs.fault = undefined
    assert.equal(harness.meter.read('spool_log_read_buffer_bytes'), 0)
    assert.equal(log.isFailed, false)
  })
})

describe('sequential reads', () => {
  it('find the beginning of the next segment, however long the last one was', () => {
    const { harness, log } = filled(3, FILES_ONLY, { segmentBytes: SIZE * 2 })
    log.configure({ ...CONFIG, segmentBytes: SIZE * 50 })
    for (let i = 0; i < 20; i++) append(log, batchOf())
    harness.settle()
    assert.equal(readAll(harness, log).length, 23)
  })

  it('use no more files than allowed, and leave none open at the end', async () => {
    const options = { tailCacheBytes: 0, maxOpenSegments: 3 }
    const { harness, log } = filled(60, options, { segmentBytes: SIZE * 2 })
    for (let round = 0; round < 2; round++) assert.equal(readAll(harness, log).length, 60)
    assert(harness.fs.openHandleCount <= 4, String(harness.fs.openHandleCount))
    await harness.stop()
    assert.equal(harness.fs.openHandleCount, 0)
  })

  it('go on where the last one ended, without looking for the place again', () => {
    const { harness, log } = filled(2000, FILES_ONLY, { indexIntervalBytes: 1_000_000 })
    const positions: number[] = []
    const handle = Object.getPrototypeOf(
      harness.fs.open('/data/t-0/00000000000000000000.log', 'read'),
    )
    const read = handle.read
    handle.read = function (...args: unknown[]) {
      positions.push(args[3] as number)
      return read.apply(this, args)
    }
    try {
      for (let offset = 0; offset < 500; offset += 100)
        offsetsOf(readSlice(harness, log, { offset, endOffset: 2000, maxBytes: SIZE * 100 }))
    } finally {
      handle.read = read
    }
    assert.deepEqual(
      positions,
      [0, 100, 200, 300, 400].map((count) => count * SIZE),
    )
  })
})
