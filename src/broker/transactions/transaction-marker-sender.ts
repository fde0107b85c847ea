import { ErrorCode, errorName } from '../../base/error-code.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import { ControlRecordType, type EndTxnMarker } from '../../records/control-batch.ts'
import type { TopicPartition } from './transaction-metadata.ts'
import type { EndedTransaction } from './transaction-requests.ts'

/** Appends the markers that end transactions. */
export interface MarkerWriter {
  /** @param done told once: NONE when the marker is durable, or why it is not there */
  write(partition: TopicPartition, marker: EndTxnMarker, done: (errorCode: ErrorCode) => void): void
}

export interface MarkerSenderOptions {
  readonly writer: MarkerWriter
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
}

/** A partition that can't take its marker yet is asked again after this, then twice as long. */
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

/**
 * After these there is nothing to end in the partition: its topic is gone, or a newer epoch of the
 * producer or of the coordinator ended it. Source: TransactionMarkerRequestCompletionHandler.
 */
const SETTLED: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.NONE,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.TRANSACTION_COORDINATOR_FENCED,
])

/** One decided transaction: the partitions that still lack its marker. */
interface Job {
  readonly ended: EndedTransaction
  readonly coordinatorEpoch: number
  readonly done: () => void
  missing: TopicPartition[]
  pendingCount: number
  pauseMs: number
  timer: Timer | null
}

/**
 * Brings the marker of each decided transaction to all its partitions, however long one of them is
 * out of order. There is at most one job for a transactional id, since the next transaction waits
 * for the end of the last.
 */
export class TransactionMarkerSender {
  readonly #options: MarkerSenderOptions
  readonly #jobs = new Map<string, Job>()

  constructor(options: MarkerSenderOptions) {
    this.#options = options
  }

  /** Transactions whose markers are not all written. */
  get pendingCount(): number {
    return this.#jobs.size
  }

  /** @param done told once, unless the job is replaced by another of the same id or stopped */
  send(ended: EndedTransaction, coordinatorEpoch: number, done: () => void): void {
    this.#jobs.get(ended.transactionalId)?.timer?.cancel()
    const missing = [...ended.partitions].flatMap(([topic, indexes]) =>
      [...indexes].map((partition) => ({ topic, partition })),
    )
    const fixed = { ended, coordinatorEpoch, done }
    const job = { ...fixed, missing, pendingCount: 0, pauseMs: FIRST_PAUSE_MS, timer: null }
    this.#jobs.set(ended.transactionalId, job)
    this.#write(job)
  }

  stop(): void {
    for (const job of this.#jobs.values()) job.timer?.cancel()
    this.#jobs.clear()
  }

  #write(job: Job): void {
    const { producerId, producerEpoch, isCommit } = job.ended
    const { coordinatorEpoch } = job
    const type = isCommit ? ControlRecordType.COMMIT : ControlRecordType.ABORT
    const timestamp = this.#options.clock.nowMs()
    const marker = { producerId, producerEpoch, type, coordinatorEpoch, timestamp }
    const partitions = job.missing
    job.missing = []
    job.timer = null
    // One more, so that answers in the same turn don't look like the last one.
    job.pendingCount = partitions.length + 1
    for (const partition of partitions) {
      this.#options.writer.write(partition, marker, (errorCode) => {
        if (!SETTLED.has(errorCode)) job.missing.push(partition)
        this.#settled(job, errorCode)
      })
    }
    this.#settled(job, ErrorCode.NONE)
  }

  #settled(job: Job, errorCode: ErrorCode): void {
    const { transactionalId } = job.ended
    if (--job.pendingCount > 0 || this.#jobs.get(transactionalId) !== job) return
    if (job.missing.length === 0) {
      this.#jobs.delete(transactionalId)
      job.done()
      return
    }
    if (job.pauseMs === FIRST_PAUSE_MS) {
      this.#options.logger.warn('the marker of a transaction could not be written yet', {
        transactionalId,
        partitionCount: job.missing.length,
        error: errorName(errorCode),
      })
    }
    job.timer = this.#options.scheduler.after(job.pauseMs, () => this.#write(job))
    job.pauseMs = Math.min(job.pauseMs * 2, LONGEST_PAUSE_MS)
  }
}
