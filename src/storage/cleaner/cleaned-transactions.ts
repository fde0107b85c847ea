import { ControlRecordType, controlRecordTypeOf } from '../../records/control-batch.ts'
import {
  baseOffsetOf,
  isTransactional,
  lastOffsetOf,
  producerIdOf,
  recordCountOf,
} from '../../records/record-batch.ts'
import { recordsOf } from '../../records/records-iterator.ts'
import type { AbortedTransactionEntry } from '../segment/transaction-index.ts'

interface OngoingAborted {
  readonly entry: AbortedTransactionEntry
  /** A batch of it is still in the log, so its marker must stay. */
  hasBatches: boolean
}

/**
 * The transactions along a walk over a log: tells which batches belong to an aborted one, and which
 * markers have outlived their data. Source: CleanedTransactionMetadata, Kafka 4.4.
 */
export class CleanedTransactions {
  /** Sorted by first offset; those before `#next` have begun. */
  readonly #aborted: readonly AbortedTransactionEntry[]
  #next = 0
  readonly #ongoingAborted = new Map<number, OngoingAborted>()
  /** Producer ids with a batch and without a marker yet. */
  readonly #ongoingCommitted = new Set<number>()

  /** @param aborted what the indexes know of the part that is walked */
  constructor(aborted: readonly AbortedTransactionEntry[]) {
    this.#aborted = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  }

  /** @returns true when the batch belongs to an aborted transaction */
  onBatch(buffer: Buffer, at: number): boolean {
    this.#beginUpTo(lastOffsetOf(buffer, at))
    if (!isTransactional(buffer, at)) return false
    const producerId = producerIdOf(buffer, at)
    const aborted = this.#ongoingAborted.get(producerId)
    // A marker that is gone must not make the producer's next transaction an aborted one.
    if (aborted === undefined || aborted.entry.lastOffset < baseOffsetOf(buffer, at)) {
      this.#ongoingCommitted.add(producerId)
      return false
    }
    aborted.hasBatches = true
    return true
  }

  /**
   * @returns whether nothing of the transaction is left before the marker, so that it may go; and
   *   for an abort marker that stays, the entry for the index of the segment it is written to
   */
  onControlBatch(buffer: Buffer, at: number): MarkerVerdict {
    this.#beginUpTo(lastOffsetOf(buffer, at))
    if (recordCountOf(buffer, at) === 0) return DISCARD
    const producerId = producerIdOf(buffer, at)
    const [record] = recordsOf(buffer, at)
    switch (controlRecordTypeOf(record?.key ?? null)) {
      case ControlRecordType.ABORT: {
        const aborted = this.#ongoingAborted.get(producerId)
        this.#ongoingAborted.delete(producerId)
        return aborted?.hasBatches ? { canDiscard: false, aborted: aborted.entry } : DISCARD
      }
      case ControlRecordType.COMMIT:
        return this.#ongoingCommitted.delete(producerId) ? KEEP : DISCARD
      default:
        return KEEP
    }
  }

  #beginUpTo(offset: number): void {
    for (;;) {
      const entry = this.#aborted[this.#next]
      if (entry === undefined || entry.firstOffset > offset) return
      this.#next++
      this.#ongoingAborted.set(entry.producerId, { entry, hasBatches: false })
    }
  }
}

export interface MarkerVerdict {
  readonly canDiscard: boolean
  readonly aborted: AbortedTransactionEntry | null
}

const DISCARD: MarkerVerdict = { canDiscard: true, aborted: null }
const KEEP: MarkerVerdict = { canDiscard: false, aborted: null }
