import type { ProducerSnapshotEntry } from '../../records/internal/producer-snapshot.ts'
import type { ProducerSnapshots } from '../producers/producer-snapshots.ts'
import { segmentJitterMs } from '../recovery/log-recovery.ts'
import { LogSegment } from '../segment/log-segment.ts'
import { UnsyncedFiles } from '../segment/unsynced-files.ts'
import type { LogSyncer } from './log-syncer.ts'
import type { PendingBatches } from './pending-batches.ts'
import type { WrittenLog } from './written-log.ts'

/** Cuts what is pending into writes, and ends the last segment where it is full. */
export class SegmentRoller {
  /** The last segment has to end if it begins below. */
  mustRollBelow = -1
  readonly #log: WrittenLog
  readonly #snapshots: ProducerSnapshots
  readonly #pending: PendingBatches
  readonly #syncer: LogSyncer
  readonly #mayRoll: () => boolean

  /** @param mayRoll asked before a segment ends; false: it has to be synced first */
  constructor(
    log: WrittenLog,
    snapshots: ProducerSnapshots,
    pending: PendingBatches,
    syncer: LogSyncer,
    mayRoll: () => boolean,
  ) {
    this.#log = log
    this.#snapshots = snapshots
    this.#pending = pending
    this.#syncer = syncer
    this.#mayRoll = mayRoll
  }

  /**
   * How many pending batches go into one write; rolls first when the segment is full.
   * @returns 0: the segment has to be synced first, then the writing goes on
   */
  nextRun(): number {
    const { config, segments } = this.#log
    let runBytes = 0
    let count = 0
    while (count < this.#pending.length) {
      const { buffer, baseOffset, lastOffset, timestampMs } = this.#pending.at(count)
      const bytes = runBytes + buffer.byteLength
      const mustRoll = this.#mustRoll && segments.active.sizeBytes + runBytes > 0
      if (mustRoll || segments.active.isFullFor(bytes, lastOffset, timestampMs, config)) {
        if (count > 0) return count
        if (!this.#mayRoll()) return 0
        this.roll(baseOffset)
      }
      count++
      runBytes = bytes
      // The first batch decides when an empty segment is full, so it goes alone.
      if (segments.active.sizeBytes === 0) return count
    }
    return count
  }

  get #mustRoll(): boolean {
    return this.#log.segments.active.baseOffset < this.mustRollBelow
  }

  roll(baseOffset: number): void {
    const { segments, producers } = this.#log
    const old = segments.active
    const entries = producers.toSnapshot(this.#pending.producersBefore())
    this.#syncer.addRolled(old, rollSegment(this.#log, baseOffset, this.#snapshots, entries))
  }
}

/**
 * Ends the last segment of a log and begins the next one. Nothing has changed if this fails.
 * @param producers what was known of producers at `baseOffset`
 * @returns the files that go with the old segment, to be synced with it
 */
function rollSegment(
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
