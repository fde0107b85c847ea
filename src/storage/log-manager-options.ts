import type { CleanerConfig } from '../ports/cleaner-config.ts'
import type { Clock } from '../ports/clock.ts'
import type { FileSystem } from '../ports/file-system.ts'
import type { Logger } from '../ports/logger.ts'
import type { Meter } from '../ports/meter.ts'
import type { Random } from '../ports/random.ts'
import type { Scheduler } from '../ports/scheduler.ts'
import type { SegmentCleaner } from '../ports/segment-cleaner.ts'

export interface LogManagerOptions {
  /** Memory for the newest batches of all logs, whole request frames counted. */
  readonly tailCacheBytes?: number
  /** Memory for reads of files. */
  readonly readBufferBytes?: number
  /** Segments that are kept open although nobody writes to them. */
  readonly maxOpenSegments?: number
  /** Files of last segments that are kept open although nothing was appended for a while. */
  readonly maxGrowingFiles?: number
  /** Above so many un-synced bytes of a log, its writes go to the thread pool. */
  readonly maxUnsyncedBytes?: number
  /** Memory for what a disk that hangs does not take, of all logs; above it appends are refused. */
  readonly maxUnwrittenBytes?: number
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckIntervalMs?: number
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly checkpointIntervalMs?: number
  /** `producer.id.expiration.check.interval.ms` */
  readonly producerIdExpirationCheckIntervalMs?: number
  /** `log.initial.task.delay.ms`: a start is not the time for other work. */
  readonly initialTaskDelayMs?: number
}

export interface LogManagerPorts {
  readonly fs: FileSystem
  readonly dataDir: string
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  readonly options?: LogManagerOptions
  /** Compacts logs; without it none is. */
  readonly cleaning?: LogManagerCleaning
}

export interface LogManagerCleaning {
  readonly cleaner: SegmentCleaner
  readonly config: () => CleanerConfig
}

export const LOG_MANAGER_DEFAULTS: Required<LogManagerOptions> = {
  tailCacheBytes: 32 * 1024 * 1024,
  readBufferBytes: 32 * 1024 * 1024,
  maxOpenSegments: 256,
  maxGrowingFiles: 2048,
  maxUnsyncedBytes: 64 * 1024 * 1024,
  maxUnwrittenBytes: 256 * 1024 * 1024,
  retentionCheckIntervalMs: 300_000,
  checkpointIntervalMs: 60_000,
  producerIdExpirationCheckIntervalMs: 600_000,
  initialTaskDelayMs: 30_000,
}
