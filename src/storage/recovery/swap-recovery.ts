import { lastOffsetOf } from '../../records/record-batch.ts'
import type { LogContext } from '../log-context.ts'
import {
  CLEANED_SUFFIX,
  INDEX_SUFFIXES,
  LOG_SUFFIX,
  offsetOfFileName,
  SWAP_SUFFIX,
} from '../log-files.ts'
import { BatchScanner } from '../segment/batch-scanner.ts'

const SCAN_BUFFER_BYTES = 1_048_576

/**
 * Finishes or takes back the swap of a compacted segment that a crash cut off. Before all its files
 * are named `.swap` the old segments hold; from then on the compacted one does, and what it
 * was made from goes. Source: LogLoader.load, Kafka 4.4; KAFKA-6264.
 * @param names of the files in the directory
 * @returns the names that are there afterwards
 */
export function finishSwaps(
  context: LogContext,
  directory: string,
  names: readonly string[],
): readonly string[] {
  const swapped = names.filter((name) => name.endsWith(SWAP_SUFFIX))
  if (swapped.length === 0) return names
  context.beforeWrite()
  const firstCleaned = Math.min(
    ...names.filter((name) => name.endsWith(CLEANED_SUFFIX)).map((name) => offsetBefore(name)),
  )
  const ranges = rangesOf(context, directory, swapped)
  const isValid = (name: string): boolean => {
    const offset = offsetBefore(name)
    return offset < firstCleaned && ranges.get(offset)?.isDamaged !== true
  }
  const valid = swapped.filter(isValid)
  const isReplaced = (name: string): boolean =>
    [LOG_SUFFIX, ...INDEX_SUFFIXES].some((suffix) => {
      const offset = offsetOfFileName(name, suffix)
      return valid.some((swap) => {
        const range = ranges.get(offsetBefore(swap))
        return range !== undefined && offset >= range.start && offset < range.end
      })
    })
  const removed = names.filter(
    (name) => isReplaced(name) || (swapped.includes(name) && !valid.includes(name)),
  )
  // The log last: indexes alone would be taken for those of the segment that stays.
  const isLog = (name: string): number => Number(name.endsWith(LOG_SUFFIX + SWAP_SUFFIX))
  for (const name of removed.sort((a, b) => isLog(a) - isLog(b)))
    context.fs.remove(`${directory}/${name}`)
  // What is in place must never overlap, whatever of this the next crash leaves.
  context.fs.syncDirectory(directory)
  for (const name of valid)
    context.fs.rename(`${directory}/${name}`, `${directory}/${withoutSuffix(name, SWAP_SUFFIX)}`)
  context.fs.syncDirectory(directory)
  context.logger.info('finished a compaction that was cut off', {
    directory,
    putInPlace: valid.length,
    removed: removed.length,
  })
  return context.fs.list(directory)
}

/** Offsets that a compacted segment stands for, as far as its batches go. */
interface SwapRange {
  readonly start: number
  readonly end: number
  /** It has bytes that are no batch, and what it was made from is still there. */
  readonly isDamaged: boolean
}

function rangesOf(
  context: LogContext,
  directory: string,
  swapped: readonly string[],
): Map<number, SwapRange> {
  const ranges = new Map<number, SwapRange>()
  for (const name of swapped) {
    const start = offsetOfFileName(withoutSuffix(name, SWAP_SUFFIX), LOG_SUFFIX)
    if (start < 0) continue
    const path = `${directory}/${name}`
    const handle = context.fs.open(path, 'read')
    const buffer = Buffer.allocUnsafe(SCAN_BUFFER_BYTES)
    const scanner = new BatchScanner(handle, 0, handle.sizeBytes(), buffer, true)
    let end = start + 1
    while (scanner.next()) end = lastOffsetOf(scanner.buffer, scanner.at) + 1
    handle.close()
    const original = `${directory}/${withoutSuffix(name, SWAP_SUFFIX)}`
    const isDamaged = scanner.problem !== null && context.fs.stat(original) !== undefined
    if (isDamaged)
      context.logger.warn('a compacted segment is damaged: what it was made from is kept', {
        file: path,
        problem: scanner.problem,
      })
    ranges.set(start, { start, end, isDamaged })
  }
  return ranges
}

const withoutSuffix = (name: string, suffix: string): string => name.slice(0, -suffix.length)

/** The offset that a file's name begins with, whatever its kind. */
function offsetBefore(name: string): number {
  return Number.parseInt(name, 10)
}
