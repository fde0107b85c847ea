import type { Lease } from '../../base/lease.ts'
import type { ProducerEntrySnapshot } from '../producers/producer-entry.ts'
import type { LogTail, TailBatch } from '../read/tail-cache.ts'
import type { AbortedTransactionEntry } from '../segment/transaction-index.ts'

/** A batch that has its offsets and waits for the write of this turn; later, a batch of the tail. */
export class PendingBatch implements TailBatch {
  readonly buffer: Buffer
  readonly lease: Lease
  readonly baseOffset: number
  readonly lastOffset: number
  readonly owner: LogTail
  readonly timestampMs: number
  /** Bytes written to the log since it was opened, before this batch. */
  position = 0
  /** What was known of its producer before, until the batch is written. */
  undo: ProducerEntrySnapshot | null = null
  /** The transaction that this marker aborts. */
  aborted: AbortedTransactionEntry | null = null

  constructor(
    buffer: Buffer,
    lease: Lease,
    baseOffset: number,
    lastOffset: number,
    owner: LogTail,
    timestampMs: number,
  ) {
    this.buffer = buffer
    this.lease = lease
    this.baseOffset = baseOffset
    this.lastOffset = lastOffset
    this.owner = owner
    this.timestampMs = timestampMs
  }
}
