import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StorageError } from '../../../../src/base/errors.ts'
import type { LogConfig, PartitionLog } from '../../../../src/ports/partition-log.ts'
import { buildBatch } from '../../../../src/records/batch-builder.ts'
import { Codec } from '../../../../src/records/record-batch.ts'
import { append, Harness } from '../log-harness.ts'

/** Appends one batch for each list of record timestamps. */
function logOf(
  batches: readonly (readonly number[])[],
  config: Partial<LogConfig> = {},
  codec: Codec = Codec.NONE,
): { harness: Harness; log: PartitionLog } {
  const harness = new Harness()
  const log = harness.open(config, 't', 5)
  for (const timestamps of batches) {
    const records = timestamps.map((timestamp) => ({ timestamp, value: Buffer.alloc(20) }))
    append(log, buildBatch(records, { codec }))
  }
  harness.settle()
  return { harness, log }
}

const BATCHES = [[100, 300, 200], [250], [150, 400, 400], [350]]

for (const [name, config, codec] of [
  ['one segment', {}, Codec.NONE],
  ['a segment for each batch', { segmentBytes: 100 }, Codec.NONE],
  ['compressed batches', {}, Codec.GZIP],
] as const) {
  describe(`lookup by time in ${name}`, () => {
    it('finds the first record at or after the time, looking inside batches', async () => {
      const { harness, log } = logOf(BATCHES, config, codec)
      const find = async (timestampMs: number, endOffset = 8) => {
        const found = await harness.until(log.offsetForTimestamp(timestampMs, endOffset))
        return found && [found.offset, found.timestampMs]
      }
      assert.deepEqual(await find(0), [0, 100])
      assert.deepEqual(await find(100), [0, 100])
      assert.deepEqual(await find(101), [1, 300])
      assert.deepEqual(await find(300), [1, 300])
      assert.deepEqual(await find(301), [5, 400])
      assert.deepEqual(await find(400), [5, 400])
      assert.equal(await find(401), null)
      assert.equal(await find(301, 4), null)
    })

    it('finds the first record with the largest time below an offset', async () => {
      const { harness, log } = logOf(BATCHES, config, codec)
      const largest = async (endOffset: number) => {
        const found = await harness.until(log.maxTimestamp(endOffset))
        return found && [found.offset, found.timestampMs, found.leaderEpoch]
      }
      assert.deepEqual(await largest(8), [5, 400, 5])
      assert.deepEqual(await largest(4), [1, 300, 5])
      assert.equal(await largest(0), null)
    })

    it('leaves out what DeleteRecords hid', async () => {
      const { harness, log } = logOf(BATCHES, config, codec)
      await harness.until(log.deleteRecordsBefore(6))
      const found = await harness.until(log.offsetForTimestamp(0, 8))
      assert.deepEqual([found?.offset, found?.timestampMs], [6, 400])
      const largest = await harness.until(log.maxTimestamp(8))
      assert.deepEqual([largest?.offset, largest?.timestampMs], [6, 400])
    })
  })
}

describe('lookup by time', () => {
  it('finds nothing in an empty log', async () => {
    const { harness, log } = logOf([])
    assert.equal(await harness.until(log.offsetForTimestamp(0, 0)), null)
    assert.equal(await harness.until(log.maxTimestamp(0)), null)
  })

  it('finds nothing an hour ahead in a LogAppendTime topic, whatever the client said', async () => {
    const harness = new Harness()
    const log = harness.open()
    const nextYear = { timestamp: 1_000_000_000, value: Buffer.alloc(5) }
    append(log, buildBatch([nextYear], { logAppendTime: 5000 }))
    harness.settle()
    assert.equal(await harness.until(log.offsetForTimestamp(5001, 1)), null)
    const found = await harness.until(log.offsetForTimestamp(5000, 1))
    assert.deepEqual([found?.offset, found?.timestampMs], [0, 5000])
  })

  it('reads only near the place in a long log', async () => {
    const batches = Array.from({ length: 3000 }, (_, i) => [1000 + i])
    const { harness, log } = logOf(batches)
    await harness.stop()
    harness.start()
    const again = harness.open()
    const before = harness.meter.count('spool_log_file_reads_total')
    const found = await harness.until(again.offsetForTimestamp(3500, 3000))
    assert.equal(found?.offset, 2500)
    assert.equal(harness.meter.count('spool_log_file_reads_total'), before + 1)
    assert.equal(log.isFailed, true, 'the first log is closed')
  })
})

describe('lookup by time in a batch with a flipped bit', () => {
  /** The first reads get another byte in the compressed records. */
  function flipped(flipCount: number): { harness: Harness; log: PartitionLog } {
    const { harness, log } = logOf([[100, 300, 200]], {}, Codec.GZIP)
    const read = log.read.bind(log)
    let left = flipCount
    log.read = (request, done) => {
      const slice = read(request, done)
      if (slice === null || left-- <= 0) return slice
      const pieces = slice.pieces.map((piece) => Buffer.from(piece))
      for (const piece of pieces) piece.fill(0xff, 75, 80)
      return { ...slice, pieces }
    }
    return { harness, log }
  }

  it('reads it again', async () => {
    const { harness, log } = flipped(1)
    const found = await harness.until(log.offsetForTimestamp(200, 3))
    assert.equal(found?.offset, 1)
  })

  it('is an error of the storage when it is there each time', async () => {
    const { harness, log } = flipped(100)
    await assert.rejects(harness.until(log.offsetForTimestamp(200, 3)), StorageError)
  })
})
