import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { append, batchOf, Harness, readAll } from '../log-harness.ts'

const SIZE = batchOf().byteLength
const CONFIG = { segmentBytes: SIZE * 2 }
const OLD: [number, number][] = [0, 1, 2, 3, 4].map((offset) => [offset, offset])
const COMPACTED: [number, number][] = [1, 3, 4].map((offset) => [offset, offset])

const fileOf = (offset: number, suffix: string) => String(offset).padStart(20, '0') + suffix

/** Five batches of a record in the segments 0, 2 and 4; all but the last are on disk for good. */
function filled(): Harness {
  const harness = new Harness()
  const log = harness.open(CONFIG)
  for (let i = 0; i < 5; i++) {
    append(log, batchOf())
    harness.settle()
  }
  return harness
}

function write(harness: Harness, name: string, content: Buffer): void {
  const handle = harness.fs.open(harness.pathOf(name), 'create')
  handle.writeNow([content], 0)
  handle.dataSyncNow()
  handle.close()
  harness.fs.syncDirectory(harness.pathOf('').slice(0, -1))
}

/** What compaction makes of the first two segments when only their last batches stay. */
function compactedBytes(harness: Harness): Buffer {
  const lastOf = (base: number) => harness.fs.readFile(harness.pathOf(fileOf(base, '.log')))
  return Buffer.concat([lastOf(0).subarray(SIZE), lastOf(2).subarray(SIZE)])
}

function filledWith(suffixes: readonly string[]): Harness {
  const harness = filled()
  const content = compactedBytes(harness)
  for (const suffix of suffixes)
    write(harness, fileOf(0, suffix), suffix.startsWith('.log') ? content : Buffer.alloc(0))
  return harness
}

function reopened(harness: Harness): [number, number][] {
  harness.kill()
  harness.start()
  const found = readAll(harness, harness.open(CONFIG))
  const names = harness.fs.list('/data/t-0')
  assert(!names.some((name) => /swap|cleaned|deleted/.test(name)), names.join())
  return found
}

describe('a compaction that a crash cut off (KAFKA-6264)', () => {
  it('never happened while one of its files is not named .swap', () => {
    assert.deepEqual(reopened(filledWith(['.log.cleaned', '.index.cleaned'])), OLD)
    assert.deepEqual(reopened(filledWith(['.log.swap', '.index.cleaned'])), OLD)
    assert.deepEqual(reopened(filledWith(['.log.cleaned', '.index.swap'])), OLD)
  })

  it('is finished once all its files are named .swap, and what it was made from goes', () => {
    const harness = filledWith(['.log.swap', '.index.swap', '.timeindex.swap'])
    assert.deepEqual(reopened(harness), COMPACTED)
    const logs = harness.fs.list('/data/t-0').filter((name) => name.endsWith('.log'))
    assert.deepEqual(logs, [fileOf(0, '.log'), fileOf(4, '.log')])
  })

  it('is finished when the old segments are gone, and when the log has its name already', () => {
    const harness = filledWith(['.log.swap', '.index.swap', '.timeindex.swap'])
    for (const name of harness.fs.list('/data/t-0'))
      if (/^0+[02]\.(log|index|timeindex)$/.test(name)) harness.fs.remove(harness.pathOf(name))
    harness.fs.rename(harness.pathOf(fileOf(0, '.log.swap')), harness.pathOf(fileOf(0, '.log')))
    assert.deepEqual(reopened(harness), COMPACTED)
  })

  it('is taken back when it is damaged and the old segments are there', () => {
    const harness = filled()
    const content = compactedBytes(harness)
    content[SIZE - 1] = 0xff
    write(harness, fileOf(0, '.log.swap'), content)
    assert.deepEqual(reopened(harness), OLD)
    assert(harness.lines.some(({ text }) => /compacted segment is damaged/.test(text)))
  })

  it('is finished or taken back, whole, whenever the power goes during recovery', () => {
    for (let stopAt = 0; stopAt < 30; stopAt++) {
      const harness = filledWith(['.log.swap', '.index.swap', '.timeindex.swap'])
      harness.kill()
      let operations = 0
      harness.fs.fault = () => (operations++ >= stopAt ? { code: 'EIO' } : undefined)
      try {
        harness.start()
        harness.open(CONFIG)
      } catch {
        // The disk is gone.
      }
      harness.fs.fault = undefined
      harness.fs.crash()
      assert.deepEqual(reopened(harness), COMPACTED, `stopped at ${stopAt}`)
    }
  })
})
