import { StorageError } from '../../base/errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { LogContext } from '../log-context.ts'
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  INDEX_SUFFIXES,
  LOG_SUFFIX,
  offsetFileName,
  SWAP_SUFFIX,
} from '../log-files.ts'
import { LogSegment } from '../segment/log-segment.ts'
import type { CleanableLog } from './cleanable-log.ts'
import { CleaningAborted } from './cleaning-aborted.ts'

const SUFFIXES = [LOG_SUFFIX, ...INDEX_SUFFIXES]
/** Segments that get other names in one turn of the event loop. */
const SEGMENTS_PER_TURN = 8

/**
 * Puts a compacted segment in the place of what it was made from, so that a crash at any moment
 * leaves one or the other. Names change on the event loop, as those of the directory do: so it is
 * never the directory of another topic. They are synced between the steps: a power failure must not
 * keep a later one and lose an earlier one. Source: UnifiedLog.replaceSegments, Kafka 4.4.
 * @throws CleaningAborted when the log is deleted meanwhile
 * @throws StorageError; the log is offline then if the files are not called what they should be
 */
export async function swapSegments(
  log: CleanableLog,
  sources: readonly LogSegment[],
): Promise<void> {
  const { context, directory } = log
  const baseOffset = (sources[0] as LogSegment).baseOffset
  let compacted: LogSegment | null = null
  log.isSwapping = true
  try {
    // From here on recovery goes forward, see `finishSwaps`.
    compacted = await commit(log, baseOffset)
    log.replaceSegments(sources, compacted)
    const deletedPaths = await renameSources(log, sources)
    await syncNames(log)
    renameAll(context.fs, directory, baseOffset, SWAP_SUFFIX, '')
    compacted.named()
    await syncNames(log)
    log.home.removeLater(deletedPaths, log.config.fileDeleteDelayMs)
  } catch (error) {
    if (log.isFailed) throw new CleaningAborted()
    // What has half of its names can only be sorted out by a start.
    if (compacted !== null || !takeBack(log, baseOffset)) log.writer.fail(error as Error)
    throw error
  } finally {
    compacted?.unpin()
    log.isSwapping = false
  }
}

async function commit(log: CleanableLog, baseOffset: number): Promise<LogSegment> {
  const { context, directory } = log
  renameAll(context.fs, directory, baseOffset, CLEANED_SUFFIX, SWAP_SUFFIX)
  await syncNames(log)
  return openCompacted(context, directory, baseOffset)
}

/** @returns false when it can't be: a start would go forward with it */
function takeBack({ context, directory }: CleanableLog, baseOffset: number): boolean {
  try {
    // The log last: indexes alone would be taken for those of the segment that stays.
    for (const end of [SWAP_SUFFIX, CLEANED_SUFFIX])
      for (const suffix of SUFFIXES.toReversed())
        context.fs.remove(`${directory}/${offsetFileName(baseOffset, suffix)}${end}`)
    context.fs.syncDirectory(directory)
    return true
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    return false
  }
}

/** Its files get their names while it is in use: until then it stays open. */
function openCompacted(context: LogContext, directory: string, baseOffset: number): LogSegment {
  const segment = new LogSegment(context, directory, baseOffset, false, 0, SWAP_SUFFIX)
  try {
    segment.open()
  } catch (error) {
    segment.unload()
    throw error
  }
  segment.pin()
  context.segments.touch(segment)
  return segment
}

async function renameSources(
  log: CleanableLog,
  sources: readonly LogSegment[],
): Promise<readonly string[]> {
  const { context, directory } = log
  const paths: string[] = []
  for (const [index, { baseOffset }] of sources.entries()) {
    if (index > 0 && index % SEGMENTS_PER_TURN === 0) await nextTurn(log)
    paths.push(...renameAll(context.fs, directory, baseOffset, '', DELETED_SUFFIX))
  }
  return paths
}

/** @returns the new paths of the files that were there */
function renameAll(
  fs: FileSystem,
  directory: string,
  baseOffset: number,
  from: string,
  to: string,
): string[] {
  const paths: string[] = []
  for (const suffix of SUFFIXES) {
    const path = `${directory}/${offsetFileName(baseOffset, suffix)}`
    if (fs.stat(path + from) === undefined) continue
    fs.rename(path + from, path + to)
    paths.push(path + to)
  }
  return paths
}

function syncNames(log: CleanableLog): Promise<void> {
  return new Promise((resolve, reject) => {
    log.context.fs.syncDirectoryLater(log.directory, (error) => {
      if (log.isFailed) reject(new CleaningAborted())
      else if (error === null) resolve()
      else reject(error)
    })
  })
}

function nextTurn(log: CleanableLog): Promise<void> {
  return new Promise((resolve, reject) => {
    log.context.scheduler.after(0, () => {
      if (log.isFailed) reject(new CleaningAborted())
      else resolve()
    })
  })
}
