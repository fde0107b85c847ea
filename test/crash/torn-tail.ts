import { appendFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildBatch } from '../../src/records/batch-builder.ts'
import type { SeededRandom } from './random.ts'

const KINDS = ['half a batch', 'zeros', 'noise', 'no indexes'] as const

const MAX_TAIL_BYTES = 8192

/**
 * Leaves behind the last segment of a partition what a power failure can: a batch that was not
 * written to its end, blocks that were allocated and never written, or indexes that were lost. None
 * of it was acknowledged. Returns what it did, for the report.
 */
export async function tearTail(partitionDir: string, random: SeededRandom): Promise<string> {
  const files = await readdir(partitionDir)
  const last = files
    .filter((name) => name.endsWith('.log'))
    .sort()
    .at(-1)
  if (last === undefined) throw new Error(`no segment in ${partitionDir}`)
  const log = join(partitionDir, last)
  const kind = random.pick(KINDS)
  if (kind === 'no indexes') {
    for (const suffix of ['.index', '.timeindex']) {
      await rm(log.replace(/\.log$/, suffix), { force: true })
    }
  } else {
    await appendFile(log, tail(kind, random))
  }
  return `${kind} in ${last}`
}

function tail(kind: 'half a batch' | 'zeros' | 'noise', random: SeededRandom): Buffer {
  const size = random.between(1, MAX_TAIL_BYTES)
  if (kind === 'zeros') return Buffer.alloc(size)
  if (kind === 'noise')
    return Buffer.from(Array.from({ length: size }, () => random.between(0, 255)))
  const value = Buffer.alloc(size, 'torn')
  const batch = buildBatch([{ timestamp: Date.now(), value }], { baseOffset: 1_000_000 })
  return batch.subarray(0, random.between(1, batch.length - 1))
}
