import type { LogConfig, LogListener, PartitionLog } from '../../ports/partition-log.ts'
import type { LeaderEpochCache } from '../leader-epoch-cache.ts'
import type { LogContext } from '../log-context.ts'
import type { ProducerState } from '../producers/producer-state.ts'
import type { LogSegments } from '../segment/log-segments.ts'

/** What the writer uses of its log. */
export interface WrittenLog extends PartitionLog {
  readonly context: LogContext
  readonly directory: string
  readonly segments: LogSegments
  readonly epochs: LeaderEpochCache
  readonly producers: ProducerState
  readonly listener: LogListener
  readonly config: LogConfig
  readonly home: { beforeRoll(baseOffset: number): void }
  /** All below it survives a power failure, with the indexes and snapshots of it. */
  readonly recoveryPoint: number
}
