import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PartitionLog } from '../../../src/ports/partition-log.ts'
import { append, batchOf, CONFIG, Harness, readAll } from './log-harness.ts'

const SIZE = batchOf().byteLength
/** Room for three batches. */
const SEGMENT_BYTES = 3 * SIZE + 10
const PREALLOCATED = { isPreallocated: true, segmentBytes: SEGMENT_BYTES }
const FIRST = '00000000000000000000.log'
const SECOND = '00000000000000000003.log'

function fill(harness: Harness, log: PartitionLog, count: number): void {
  for (let i = 0; i < count; i++) append(log, batchOf())
  harness.settle()
}

const bytesOf = (harness: Harness, name: string) => harness.fs.stat(harness.pathOf(name))?.sizeBytes

const offsetsTo = (end: number) => Array.from({ length: end }, (_, offset) => [offset, offset])

describe('preallocate', () => {
  it('makes a segment as long as segment.bytes, and trims it when it is closed', async () => {
    const harness = new Harness()
    const log = harness.open(PREALLOCATED)
    assert.equal(bytesOf(harness, FIRST), SEGMENT_BYTES)
    fill(harness, log, 2)
    assert.equal(bytesOf(harness, FIRST), SEGMENT_BYTES)
    assert.equal(log.sizeBytes, 2 * SIZE)
    fill(harness, log, 2)
    assert.equal(bytesOf(harness, FIRST), 3 * SIZE)
    assert.equal(bytesOf(harness, SECOND), SEGMENT_BYTES)
    assert.deepEqual(readAll(harness, log), offsetsTo(4))
    await harness.stop()
    assert.equal(bytesOf(harness, SECOND), SIZE)
    harness.start()
    const again = harness.open(PREALLOCATED)
    assert.deepEqual(readAll(harness, again), offsetsTo(4))
    assert(!harness.lines.some(({ level }) => level === 'warn'))
  })

  it('trims an empty log too, so that the next start need not look at zeros', async () => {
    const harness = new Harness()
    harness.open(PREALLOCATED)
    await harness.stop()
    assert.equal(bytesOf(harness, FIRST), 0)
    harness.fs.crash(() => 0)
    assert.equal(bytesOf(harness, FIRST), 0)
  })

  it('takes effect with the next segment when it is set or taken away', () => {
    const harness = new Harness()
    const log = harness.open({ segmentBytes: SEGMENT_BYTES })
    fill(harness, log, 1)
    assert.equal(bytesOf(harness, FIRST), SIZE)
    log.configure({ ...CONFIG, ...PREALLOCATED })
    fill(harness, log, 3)
    assert.equal(bytesOf(harness, SECOND), SEGMENT_BYTES)
    log.configure({ ...CONFIG, segmentBytes: SEGMENT_BYTES })
    fill(harness, log, 3)
    assert.equal(bytesOf(harness, '00000000000000000006.log'), SIZE)
  })

  it('costs no record at kill -9: the zeros behind the last batch are cut', () => {
    const harness = new Harness()
    fill(harness, harness.open(PREALLOCATED), 5)
    harness.kill()
    harness.start()
    const log = harness.open(PREALLOCATED)
    assert.equal(log.logEndOffset, 5)
    assert.equal(bytesOf(harness, SECOND), 2 * SIZE)
    assert(!harness.lines.some(({ level }) => level === 'warn' || level === 'error'))
    fill(harness, log, 1)
    assert.deepEqual(readAll(harness, log), offsetsTo(6))
  })

  it('keeps the next segment when a power failure took the trimming back', () => {
    const harness = new Harness()
    fill(harness, harness.open(PREALLOCATED), 5)
    harness.kill()
    harness.start()
    const handle = harness.fs.open(harness.pathOf(FIRST), 'write')
    handle.truncate(SEGMENT_BYTES)
    handle.close()
    harness.fs.remove(`${harness.dataDir}/recovery-point-offset-checkpoint`)
    const log = harness.open(PREALLOCATED)
    assert.equal(log.logEndOffset, 5)
    assert.equal(bytesOf(harness, FIRST), 3 * SIZE)
    assert.deepEqual(readAll(harness, log), offsetsTo(5))
  })
})
