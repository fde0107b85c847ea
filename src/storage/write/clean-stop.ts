import type { ProducerSnapshots } from '../producers/producer-snapshots.ts'
import { UnsyncedFiles } from '../segment/unsynced-files.ts'
import type { WrittenLog } from './written-log.ts'

/** Writes what a clean stop leaves beside the last segment, so that the next start trusts it. */
export function writeForCleanStop(
  log: WrittenLog,
  snapshots: ProducerSnapshots,
  endOffset: number,
): void {
  const { segments, context, epochs, directory, producers } = log
  const files = new UnsyncedFiles(context.fs)
  try {
    segments.active.writeIndexes(files)
    snapshots.write(endOffset, producers.toSnapshot(), files)
    snapshots.trim(endOffset)
    files.syncNow()
  } finally {
    files.close()
  }
  if (epochs.isDirty) epochs.save(context.fs, directory)
  else context.fs.syncDirectory(directory)
}
