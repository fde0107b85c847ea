import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { append, batchOf, Harness, readAll } from './log-harness.ts'

const LOG = '00000000000000000000.log'
const SIZE = batchOf().byteLength

/** Changes one byte of a file in the next reads of it: the file itself stays as it is. */
function flipReads(harness: Harness, position: number, readCount: number): { left: number } {
  const flips = { left: readCount }
  const { fs } = harness
  const open = fs.open.bind(fs)
  fs.open = (path, mode) => {
    const handle = open(path, mode)
    if (!path.endsWith('.log')) return handle
    const readNow = handle.readNow.bind(handle)
    handle.readNow = (into, intoOffset, byteCount, from) => {
      const got = readNow(into, intoOffset, byteCount, from)
      if (position < from || position >= from + got || flips.left === 0) return got
      flips.left--
      const at = intoOffset + position - from
      into[at] = (into[at] as number) ^ 1
      return got
    }
    return handle
  }
  return flips
}

/** Five batches of an idempotent producer, acknowledged, and then a kill. */
function killed(): Harness {
  const harness = new Harness({ tailCacheBytes: 0 })
  const log = harness.open()
  for (let baseSequence = 0; baseSequence < 5; baseSequence++) {
    append(log, batchOf(1, { producerId: 7, producerEpoch: 0, baseSequence }))
    harness.settle()
  }
  harness.kill()
  harness.start()
  return harness
}

const ALL = [0, 1, 2, 3, 4].map((offset) => [offset, offset])
/** Inside the third batch: what its CRC covers, and what it does not. */
const PLACES = [
  ['length', 2 * SIZE + 9],
  ['base offset', 2 * SIZE + 7],
  ['leader epoch', 2 * SIZE + 15],
  ['CRC', 2 * SIZE + 18],
  ['producer id', 2 * SIZE + 50],
  ['first sequence', 2 * SIZE + 56],
  ['value', 3 * SIZE - 3],
] as const

describe('a bit that flips on the way from the disk, once', () => {
  for (const [name, position] of PLACES) {
    it(`takes nothing out of the log that recovery reads, in the ${name} of a batch`, () => {
      const harness = killed()
      const flips = flipReads(harness, position, 1)
      const log = harness.open()
      assert.equal(flips.left, 0)
      assert.deepEqual([log.logEndOffset, log.epochForOffset(4)], [5, 0])
      assert.deepEqual(readAll(harness, log), ALL)
      assert.equal(log.activeProducer(7)?.lastSequence, 4)
    })
  }

  it('does not get into what is known of producers when the log is read for the second time', () => {
    const harness = killed()
    // The first read checks the batches, the second is for their producers.
    const position = 4 * SIZE + 56
    const flips = flipReads(harness, position, 0)
    const { fs } = harness
    const open = fs.open.bind(fs)
    let readCount = 0
    fs.open = (path, mode) => {
      const handle = open(path, mode)
      const readNow = handle.readNow.bind(handle)
      handle.readNow = (...args) => {
        if (args[3] + args[2] > position && ++readCount === 3) flips.left = 1
        return readNow(...args)
      }
      return handle
    }
    assert.equal(harness.open().activeProducer(7)?.lastSequence, 4)
  })

  it('is damage when it is there however often one reads', () => {
    const harness = killed()
    flipReads(harness, 3 * SIZE - 3, 100)
    assert.equal(harness.open().logEndOffset, 2)
    assert(harness.lines.some(({ text }) => text.startsWith('a log is damaged in the middle')))
    assert(harness.fs.list('/data/t-0').some((name) => name.startsWith(`${LOG}.corrupt-`)))
  })
})
