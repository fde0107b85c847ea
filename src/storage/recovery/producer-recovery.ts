import {
  baseOffsetOf,
  lastOffsetOf,
  NO_PRODUCER_ID,
  partitionLeaderEpochOf,
  producerIdOf,
} from '../../records/record-batch.ts'
import type { LeaderEpochCache } from '../leader-epoch-cache.ts'
import type { LogContext } from '../log-context.ts'
import { KEPT_COUNT, type ProducerSnapshots } from '../producers/producer-snapshots.ts'
import { ProducerState } from '../producers/producer-state.ts'
import { BatchScanner } from '../segment/batch-scanner.ts'
import type { LogSegment } from '../segment/log-segment.ts'
import type { UnsyncedFiles } from '../segment/unsynced-files.ts'
import { scanBufferFor } from './scan-buffer.ts'
import { snapshotFitsLog } from './snapshot-check.ts'

export interface ProducerRecovery {
  readonly context: LogContext
  readonly options: {
    readonly directory: string
    readonly config: { readonly producerIdExpirationMs: number }
  }
  readonly segments: readonly LogSegment[]
  /** Those of them whose indexes are made again. */
  readonly rebuilt: ReadonlySet<LogSegment>
  readonly snapshots: ProducerSnapshots
  /** Gets the epochs that a replay finds. */
  readonly epochs: LeaderEpochCache
  readonly logEndOffset: number
  /** Snapshots that are written again. */
  readonly files: UnsyncedFiles
}

/**
 * What is known of the producers of a log that is opened: from its newest snapshot, and the batches
 * since then. Segments that are made again are all replayed, to find their aborted transactions. A
 * snapshot between two of them still knows better than a replay: compaction may have taken what ended
 * a transaction, and touches only segments that have a safe snapshot behind them.
 * Source: LogLoader, Kafka 4.4, which also begins each segment with the snapshot before it.
 */
export function recoverProducers(recovery: ProducerRecovery): ProducerState {
  const { context, options, segments, rebuilt, snapshots, logEndOffset } = recovery
  const firstRebuilt = segments.find((segment) => rebuilt.has(segment))
  const known = newestSnapshot(recovery, 0, firstRebuilt?.baseOffset ?? logEndOffset)
  let producers = known?.producers ?? new ProducerState()
  producers.expire(context.clock.nowMs(), options.config.producerIdExpirationMs)
  const from = known?.offset ?? 0
  for (const [index, segment] of segments.entries()) {
    const { baseOffset } = segment
    const before = segments[index - 1]
    if (before !== undefined && rebuilt.has(before)) {
      producers = newestSnapshot(recovery, baseOffset, baseOffset)?.producers ?? producers
      // It may be torn, and is all that tells of producers once retention has taken the segment.
      if (index >= segments.length - KEPT_COUNT)
        snapshots.write(baseOffset, producers.toSnapshot(), recovery.files)
    }
    const endOffset = segments[index + 1]?.baseOffset ?? logEndOffset
    if (endOffset > from) replay(recovery, segment, from, producers)
  }
  producers.transactions.highWatermarkMoved(logEndOffset)
  return producers
}

/** What the newest good snapshot between two offsets says, both included. */
function newestSnapshot(
  { context, options, segments, snapshots }: ProducerRecovery,
  minOffset: number,
  maxOffset: number,
): { readonly offset: number; readonly producers: ProducerState } | null {
  const { directory, config } = options
  const expiredMs = context.clock.nowMs() - config.producerIdExpirationMs
  let newest = snapshots.loadNewest(maxOffset, minOffset)
  while (newest !== null && !snapshotFitsLog(segments, newest.offset, newest.entries, expiredMs)) {
    const { offset } = newest
    context.logger.warn('a producer snapshot is older than its name: using the one before', {
      directory,
      offset,
    })
    newest = snapshots.loadNewest(offset - 1, minOffset)
  }
  if (newest === null) return null
  const producers = new ProducerState()
  producers.load(newest.entries)
  return { offset: newest.offset, producers }
}

function replay(
  { rebuilt, epochs }: ProducerRecovery,
  segment: LogSegment,
  from: number,
  producers: ProducerState,
): void {
  const isRebuilt = rebuilt.has(segment)
  const start = from > segment.baseOffset ? segment.indexes.offsets.lookup(from) : 0
  const buffer = scanBufferFor(segment.sizeBytes)
  // A flipped bit must not get into what is known of producers.
  const scanner = new BatchScanner(segment.handle, start, segment.sizeBytes, buffer, true, true)
  while (scanner.next()) {
    const { at } = scanner
    if (lastOffsetOf(scanner.buffer, at) < from) continue
    const epoch = partitionLeaderEpochOf(scanner.buffer, at)
    if (epoch > epochs.latestEpoch) epochs.assign(epoch, baseOffsetOf(scanner.buffer, at))
    if (producerIdOf(scanner.buffer, at) === NO_PRODUCER_ID) continue
    const aborted = producers.update(scanner.buffer, at)
    if (aborted !== null && isRebuilt) segment.indexes.transactions.append(aborted)
  }
}
