import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { encodeProducerSnapshot } from '../../src/records/internal/producer-snapshot.ts'
import { patchBaseOffset } from '../../src/records/record-batch.ts'
import { checkpointText } from '../../src/storage/checkpoints.ts'
import { HIGH_WATERMARK_FILE, RECOVERY_POINT_FILE } from '../../src/storage/data-directory.ts'
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  SNAPSHOT_SUFFIX,
  TIME_INDEX_SUFFIX,
} from '../../src/storage/log-files.ts'
import { OffsetIndex } from '../../src/storage/segment/offset-index.ts'
import { TimeIndex } from '../../src/storage/segment/time-index.ts'

/** Zeros, which take no room in a sparse file: of a batch only its beginning is really there. */
const VALUE = Buffer.alloc(1_000_000)
const HEAD_BYTES = 128

/**
 * Puts a log of any size in the place of an empty one, of a topic whose broker has stopped cleanly:
 * whole segments of valid batches of one record, with indexes, and an empty last segment.
 * @returns its end offset
 */
export function writeSparseLog(
  dataDir: string,
  topic: string,
  logBytes: number,
  segmentBytes: number,
): number {
  const directory = join(dataDir, `${topic}-0`)
  for (const name of readdirSync(directory))
    if (/^\d{20}\./.test(name)) rmSync(join(directory, name))
  const batchesPerSegment = Math.floor(segmentBytes / batchOf(0).length)
  const firstMs = Date.now() - 3_600_000
  let endOffset = 0
  for (let bytes = 0; bytes < logBytes; bytes += segmentBytes) {
    writeSegment(directory, endOffset, batchesPerSegment, firstMs + endOffset)
    endOffset += batchesPerSegment
  }
  writeFileSync(join(directory, offsetFileName(endOffset, LOG_SUFFIX)), '')
  const snapshot = join(directory, offsetFileName(endOffset, SNAPSHOT_SUFFIX))
  writeFileSync(snapshot, encodeProducerSnapshot([]))
  for (const name of [RECOVERY_POINT_FILE, HIGH_WATERMARK_FILE]) {
    const path = join(dataDir, name)
    const others = readFileSync(path, 'latin1')
      .split('\n')
      .slice(2, -1)
      .filter((line) => !line.startsWith(`${topic} `))
    writeFileSync(path, checkpointText([...others, `${topic} 0 ${endOffset}`]))
  }
  return endOffset
}

const batchOf = (timestamp: number): Buffer => buildBatch([{ timestamp, value: VALUE }])

function writeSegment(
  directory: string,
  baseOffset: number,
  batchCount: number,
  timestamp: number,
): void {
  const batch = batchOf(timestamp)
  const head = batch.subarray(0, HEAD_BYTES)
  const offsets = new OffsetIndex(baseOffset)
  const times = new TimeIndex(baseOffset)
  const file = openSync(join(directory, offsetFileName(baseOffset, LOG_SUFFIX)), 'wx')
  for (let index = 0; index < batchCount; index++) {
    const position = index * batch.length
    // The CRC does not cover it.
    patchBaseOffset(head, 0, baseOffset + index)
    writeSync(file, head, 0, HEAD_BYTES, position)
    if (index > 0) offsets.append(baseOffset + index, position)
  }
  times.maybeAppend(timestamp, baseOffset)
  ftruncateSync(file, batchCount * batch.length)
  closeSync(file)
  const pathOf = (suffix: string) => join(directory, offsetFileName(baseOffset, suffix))
  writeFileSync(pathOf(OFFSET_INDEX_SUFFIX), offsets.bytes())
  writeFileSync(pathOf(TIME_INDEX_SUFFIX), times.bytes())
}
