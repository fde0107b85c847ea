import type { Clock } from '../ports/clock.ts'
import type { FileSystem } from '../ports/file-system.ts'
import type { Logger } from '../ports/logger.ts'
import type { Random } from '../ports/random.ts'
import type { Scheduler } from '../ports/scheduler.ts'
import type { ReadBuffers } from './read/read-buffers.ts'
import type { ReadLanes } from './read/read-lanes.ts'
import type { TailCache } from './read/tail-cache.ts'
import type { SegmentCache } from './segment/segment-cache.ts'
import type { StorageMetrics } from './storage-metrics.ts'
import type { WritePacer } from './write/write-pacer.ts'

/** What all logs of a data directory share. */
export interface LogContext {
  readonly fs: FileSystem
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly metrics: StorageMetrics
  readonly tail: TailCache
  readonly readBuffers: ReadBuffers
  readonly readLanes: ReadLanes
  readonly segments: SegmentCache
  readonly pacer: WritePacer
  /** Called before anything is written: takes the marks of a clean stop away, once. */
  beforeWrite(): void
}
