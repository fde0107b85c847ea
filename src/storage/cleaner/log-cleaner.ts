import { StorageError } from '../../base/errors.ts'
import type { CleanerConfig } from '../../ports/cleaner-config.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Meter } from '../../ports/meter.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { SegmentCleaner } from '../../ports/segment-cleaner.ts'
import { partitionDirectoryName } from '../log-files.ts'
import type { CleanableLog } from './cleanable-log.ts'
import type { CleanerCheckpoint } from './cleaner-checkpoint.ts'
import { CleaningAborted } from './cleaning-aborted.ts'
import { type CleaningRange, cleaningRangeOf, isWorthCleaning } from './cleaning-choice.ts'
import { type CleaningMetrics, makeCleaningMetrics } from './cleaning-metrics.ts'
import { type CleaningResult, LogCleaning } from './log-cleaning.ts'

export interface LogCleanerPorts {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly meter: Meter
  readonly cleaner: SegmentCleaner
  readonly checkpoint: CleanerCheckpoint
  readonly config: () => CleanerConfig
  readonly logs: () => Iterable<CleanableLog>
}

/** Errors of the system that pass by themselves. */
const PASSING = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'])

/**
 * Compacts the logs whose `cleanup.policy` holds `compact`, the dirtiest first, one at a time. A log
 * that can't be compacted is left alone from then on; the others go on.
 * Source: LogCleaner and LogCleanerManager, Kafka 4.4.
 */
export class LogCleaner {
  readonly #ports: LogCleanerPorts
  readonly #metrics: CleaningMetrics
  /** Logs that something is wrong with. */
  readonly #uncleanable = new Set<CleanableLog>()
  /** Those of this pass that are not to be tried again before the next one. */
  readonly #skipped = new Set<CleanableLog>()
  #current: LogCleaning | null = null
  /** The end of what was asked for; a failure is told where it was asked. */
  #work: Promise<unknown> = Promise.resolve()
  #timer: Timer | null = null
  #isStopping = false

  constructor(ports: LogCleanerPorts) {
    this.#ports = ports
    this.#metrics = makeCleaningMetrics(ports.meter, () => this.#uncleanable.size)
  }

  start(): void {
    this.#passAfter(this.#ports.config().backoffMs)
  }

  /**
   * Compacts a log now, dirty or not.
   * @throws StorageError when it can't be compacted
   */
  cleanNow(log: CleanableLog): Promise<CleaningResult | null> {
    return this.#inTurn(async () => {
      try {
        const result = await this.#clean(log, this.#rangeOf(log))
        this.#uncleanable.delete(log)
        return result
      } finally {
        this.#ports.cleaner.rest()
      }
    })
  }

  /** The log is deleted. */
  forget(log: CleanableLog): void {
    this.#uncleanable.delete(log)
    this.#ports.checkpoint.forget(nameOf(log))
  }

  /** Stops what is under way; what is being put in place is finished before. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#timer?.cancel()
    // How it ended was told already.
    await this.#current?.swap?.catch(() => undefined)
    await this.#ports.cleaner.close()
    await this.#work
  }

  #passAfter(delayMs: number): void {
    this.#timer = this.#ports.scheduler.after(delayMs, () => void this.#inTurn(() => this.#pass()))
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#work.then(task)
    this.#work = done.catch(() => undefined)
    return done
  }

  async #pass(): Promise<void> {
    this.#skipped.clear()
    for (let next = this.#choose(); next !== null; next = this.#choose()) {
      try {
        await this.#clean(next.log, next.range)
      } catch (error) {
        this.#failed(next.log, error as Error)
      }
    }
    if (this.#isStopping) return
    this.#ports.cleaner.rest()
    this.#passAfter(this.#ports.config().backoffMs)
  }

  /** The dirtiest of the logs that are dirty enough. */
  #choose(): { readonly log: CleanableLog; readonly range: CleaningRange } | null {
    const { isEnabled, threadCount } = this.#ports.config()
    if (this.#isStopping || !isEnabled || threadCount === 0) return null
    let best: { readonly log: CleanableLog; readonly range: CleaningRange } | null = null
    for (const log of this.#ports.logs()) {
      if (!log.config.isCompacted || log.isFailed) continue
      if (this.#uncleanable.has(log) || this.#skipped.has(log)) continue
      const range = this.#tryRangeOf(log)
      if (range === null || !isWorthCleaning(range, log.config)) continue
      if (best === null || range.dirtyRatio > best.range.dirtyRatio) best = { log, range }
    }
    return best
  }

  #tryRangeOf(log: CleanableLog): CleaningRange | null {
    try {
      return this.#rangeOf(log)
    } catch (error) {
      this.#failed(log, error as Error)
      return null
    }
  }

  #rangeOf(log: CleanableLog): CleaningRange {
    const { checkpoint, clock } = this.#ports
    return cleaningRangeOf(log, checkpoint.get(nameOf(log)), clock.nowMs())
  }

  /** @returns null when there is nothing that may be cleaned, or the log went away */
  async #clean(log: CleanableLog, range: CleaningRange): Promise<CleaningResult | null> {
    const { cleaner, checkpoint, clock, logger, config } = this.#ports
    const { firstDirtyOffset, upperBoundOffset } = range
    const isEmpty = upperBoundOffset <= log.segments.first.baseOffset
    if (this.#isStopping || isEmpty || upperBoundOffset < firstDirtyOffset) return null
    const startedMs = clock.monotonicMs()
    this.#current = new LogCleaning(log, range, cleaner, config())
    try {
      const result = await this.#current.run()
      if (log.isFailed) return null
      checkpoint.set(nameOf(log), result.endOffset)
      await cleaner.writeFile(checkpoint.path, checkpoint.text())
      this.#metrics.rounds.add()
      this.#metrics.readBytes.add(result.readBytes)
      this.#metrics.writtenBytes.add(result.writtenBytes)
      logger.info('compacted a log', {
        topic: log.topic,
        partition: log.partition,
        ...result,
        firstDirtyOffset,
        tookMs: Math.round(clock.monotonicMs() - startedMs),
      })
      return result
    } catch (error) {
      if (!(error instanceof CleaningAborted) && !this.#isStopping) throw error
      this.#skipped.add(log)
      return null
    } finally {
      this.#current = null
    }
  }

  #failed(log: CleanableLog, error: Error): void {
    if (!(error instanceof StorageError)) throw error
    if (log.isFailed) return
    const { logger } = this.#ports
    const fields = { topic: log.topic, partition: log.partition, error: error.message }
    this.#metrics.failures.add()
    if (isPassing(error)) {
      this.#skipped.add(log)
      logger.warn('a log could not be compacted, it is tried again', fields)
      return
    }
    this.#uncleanable.add(log)
    logger.error('a log is not compacted any more until the broker is restarted', fields)
  }
}

function nameOf(log: CleanableLog): string {
  return partitionDirectoryName(log.topic, log.partition)
}

function isPassing(error: Error): boolean {
  const code = (error.cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && PASSING.has(code)
}
