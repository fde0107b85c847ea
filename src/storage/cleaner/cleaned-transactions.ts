import { ControlRecordType, controlRecordTypeOf } from '../../records/control-batch.ts'
import {
  isTransactional,
  lastOffsetOf,
  producerIdOf,
  recordCountOf,
} from '../../records/record-batch.ts'
import { recordsOf } from '../../records/records-iterator.ts'
import type { AbortedTransactionEntry } from '../transaction-index.ts'

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
  #aborted: AbortedTransactionEntry[] = []
  #next = 0
  readonly #ongoingAborted = new Map<number, OngoingAborted>()
  /** Producer ids with a batch and without a marker yet. */
  readonly #ongoingCommitted = new Set<number>()

  /**
   * What the indexes know of the part that is walked next. The same entry may come again, as long as
   * its marker was not passed.
   */
  addAborted(entries: readonly AbortedTransactionEntry[]): void {
    if (entries.length === 0) return
    this.#aborted = [...this.#aborted.slice(this.#next), ...entries]
    this.#next = 0
    this.#aborted.sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** @returns true when the batch belongs to an aborted transaction */
  onBatch(buffer: Buffer, at: number): boolean {
    this.#beginUpTo(lastOffsetOf(buffer, at))
    if (!isTransactional(buffer, at)) return false
    const producerId = producerIdOf(buffer, at)
    const aborted = this.#ongoingAborted.get(producerId)
    if (aborted === undefined) {
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
      if (!this.#ongoingAborted.has(entry.producerId))
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
