import type { ProducerSnapshotEntry } from '../../records/internal/producer-snapshot.ts'
import type { ProducerSnapshots } from '../producers/producer-snapshots.ts'
import { segmentJitterMs } from '../recovery/log-recovery.ts'
import { LogSegment } from '../segment/log-segment.ts'
import { UnsyncedFiles } from '../segment/unsynced-files.ts'
import type { WrittenLog } from './written-log.ts'

/**
 * Ends the last segment of a log and begins the next one. Nothing has changed if this fails.
 * @param producers what was known of producers at `baseOffset`
 * @returns the files that go with the old segment, to be synced with it
 */
export function rollSegment(
  log: WrittenLog,
  baseOffset: number,
  snapshots: ProducerSnapshots,
  producers: readonly ProducerSnapshotEntry[],
): UnsyncedFiles {
  const { context, segments, directory, config } = log
  const old = segments.active
  const jitterMs = segmentJitterMs(context, config)
  const next = new LogSegment(context, directory, baseOffset, true, jitterMs)
  const files = new UnsyncedFiles(context.fs)
  try {
    log.home.beforeRoll(old.baseOffset)
    old.trim()
    old.writeIndexes(files)
    snapshots.write(baseOffset, producers, files)
    snapshots.trim(baseOffset)
    if (log.epochs.isDirty) log.epochs.save(context.fs, directory)
    next.handle.truncate(0)
    next.allocate(config)
  } catch (error) {
    files.close()
    next.unload()
    throw error
  }
  segments.add(next)
  return files
}
