import { WorkerSegmentCleaner } from '../../../src/app/worker-segment-cleaner.ts'
import { buildBatch, type NewRecord } from '../../../src/records/batch-builder.ts'
import { Codec } from '../../../src/records/record-batch.ts'
import type { FilePartitionLog } from '../../../src/storage/partition-log.ts'
import { CompactedLog } from '../../conformance/cleaner/workload.ts'

/** Kafka's default, enough for 5 million keys. */
export const MAP_BYTES = 134_217_728
/** Half of `log.cleaner.io.buffer.size`, as Kafka shares it out between reads and writes. */
export const IO_BUFFER_BYTES = 262_144
export const SEGMENT_BYTES = 67_108_864
const RECORDS_PER_BATCH = 100
/** Appends that may wait for the disk. */
const MAX_WAITING = 64
const WORDS = ['alice', 'paid', 'order', 'apple', 'status', 'shipped', 'total', 'currency', 'eur']

/** A table as topics hold it: every key is written several times. */
export interface TableOptions {
  readonly recordCount: number
  readonly keyCount: number
  readonly valueBytes: number
  readonly isCompressed: boolean
}

export function openTable(dataDir: string): CompactedLog {
  return new CompactedLog(dataDir, MAP_BYTES, Date.now(), {
    config: { segmentBytes: SEGMENT_BYTES, indexIntervalBytes: 4096 },
    cleaner: new WorkerSegmentCleaner(),
    ioBufferBytes: IO_BUFFER_BYTES,
  })
}

/** Writes the table, the same each time, with all of it in segments that can be compacted. */
export async function writeTable(dataDir: string, options: TableOptions): Promise<void> {
  const { recordCount, isCompressed } = options
  const table = openTable(dataDir)
  const codec = isCompressed ? Codec.LZ4 : Codec.NONE
  let waiting: Promise<void>[] = []
  let seed = 1
  const next = (limit: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * limit)
  }
  for (let count = 0; count < recordCount; count += RECORDS_PER_BATCH) {
    const records = Array.from({ length: RECORDS_PER_BATCH }, () => recordOf(next, options))
    waiting.push(table.append(buildBatch(records, { codec })))
    if (waiting.length < MAX_WAITING) continue
    await Promise.all(waiting)
    waiting = []
  }
  await Promise.all(waiting)
  // The last segment is compacted by nobody.
  await (table.log as FilePartitionLog).writer.rollAndSync()
  await table.manager.close()
}

function recordOf(next: (limit: number) => number, options: TableOptions): NewRecord {
  const key = Buffer.from(`customer-${String(next(options.keyCount)).padStart(9, '0')}`)
  let text = ''
  while (text.length < options.valueBytes) text += `${WORDS[next(WORDS.length)]}:${next(100_000)} `
  return { timestamp: Date.now(), key, value: Buffer.from(text.slice(0, options.valueBytes)) }
}
