import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { WorkerSegmentCleaner } from '../../../src/app/worker-segment-cleaner.ts'
import { StorageError } from '../../../src/base/errors.ts'
import type { CleaningLimits, SurveyRequest } from '../../../src/ports/segment-cleaner.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { Codec } from '../../../src/records/record-batch.ts'
import { batchPositions, recordsOf } from '../../../src/records/records-iterator.ts'

const LIMITS: CleaningLimits = {
  segmentBytes: 1_000_000,
  segmentIndexBytes: 10_000,
  indexIntervalBytes: 100,
  dedupeBufferBytes: 1_000_000,
  loadFactor: 0.9,
  ioBufferBytes: 65_536,
  maxBytesPerSecond: Number.POSITIVE_INFINITY,
}

/** A segment with a record of each codec for the key `a`, and one for `b`. */
function segment(): Buffer {
  const batches = Object.values(Codec).map((codec, index) =>
    buildBatch(
      [
        { timestamp: 1, key: Buffer.from('a'), value: Buffer.from(String(index)) },
        { timestamp: 1, key: Buffer.from(`b${index}`), value: Buffer.from(String(index)) },
      ],
      { codec, baseOffset: index * 2 },
    ),
  )
  return Buffer.concat(batches)
}

describe('the cleaner thread', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spool-cleaner-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  const nameOf = (suffix: string) => join(directory, `00000000000000000000${suffix}`)
  const request: SurveyRequest = {
    directory,
    segments: [0],
    later: [],
    aborted: [],
    firstDirtyOffset: 0,
    upperBoundOffset: 10,
    hashSecret: [1, 2, 3, 4],
    limits: LIMITS,
  }
  const clean = {
    group: [0],
    nowMs: 1000,
    deleteRetentionMs: 1000,
    lastRecords: new Float64Array(),
  }

  it('surveys and cleans files in every codec, and starts again after a rest', async () => {
    writeFileSync(nameOf('.log'), segment())
    const cleaner = new WorkerSegmentCleaner()
    assert.deepEqual(await cleaner.survey(request), { endOffset: 10, groups: [[0]], keyCount: 6 })
    const cleaned = await cleaner.clean(clean)
    const content = readFileSync(nameOf('.log.cleaned'))
    assert.equal(cleaned.writtenBytes, content.length)
    const offsets = [...batchPositions(content)].flatMap((at) =>
      [...recordsOf(content, at)].map(({ offset }) => offset),
    )
    assert.deepEqual(offsets, [1, 3, 5, 7, 8, 9])
    assert(readdirSync(directory).includes('00000000000000000000.index.cleaned'))
    cleaner.rest()
    await cleaner.discard(directory, 0)
    assert.deepEqual(readdirSync(directory), ['00000000000000000000.log'])
    await cleaner.writeFile(nameOf('.txt'), 'whole')
    assert.equal(readFileSync(nameOf('.txt'), 'utf8'), 'whole')
    rmSync(nameOf('.txt'))
    await cleaner.close()
  })

  it('tells what is wrong with a file, and with the disk by the name of the error', async () => {
    const damaged = segment()
    damaged[70] = (damaged[70] as number) ^ 1
    writeFileSync(nameOf('.log'), damaged)
    const cleaner = new WorkerSegmentCleaner()
    await assert.rejects(cleaner.survey(request), (error) => {
      assert(error instanceof StorageError)
      assert.match(error.message, /000\.log is damaged at position 0, the CRC of a batch is wrong/)
      return true
    })
    await assert.rejects(cleaner.survey({ ...request, segments: [7] }), (error) => {
      assert.equal(((error as Error).cause as { code: string }).code, 'ENOENT')
      return true
    })
    await cleaner.close()
  })

  it('ends at once when it is closed, even while it waits for its turn at a rate', async () => {
    writeFileSync(nameOf('.log'), segment())
    const cleaner = new WorkerSegmentCleaner()
    const survey = cleaner.survey({ ...request, limits: { ...LIMITS, maxBytesPerSecond: 1e-3 } })
    const refused = assert.rejects(survey, /the cleaner was stopped/)
    await cleaner.close()
    await refused
    await assert.rejects(cleaner.clean(clean), /the cleaner was stopped/)
  })
})
