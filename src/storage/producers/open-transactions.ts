import { assert } from '../../base/assert.ts'
import type { AbortedTransactionEntry } from '../segment/transaction-index.ts'

interface OpenTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

interface EndedTransaction {
  readonly firstOffset: number
  /** Of the marker. */
  readonly lastOffset: number
}

/**
 * The transactions of a partition that readers of committed data must wait for: the open ones, and
 * the ended ones whose marker is not below the high watermark yet. Both lists are short.
 */
export class OpenTransactions {
  /** In the order of first offsets. */
  readonly #open: OpenTransaction[] = []
  /** In the order of markers. */
  #ended: EndedTransaction[] = []

  /** First offset that a reader of committed data must not pass, -1: none. */
  get firstUnstableOffset(): number {
    let first = this.#open[0]?.firstOffset ?? -1
    for (const { firstOffset } of this.#ended)
      if (first === -1 || firstOffset < first) first = firstOffset
    return first
  }

  begin(producerId: number, firstOffset: number): void {
    let at = this.#open.length
    while (at > 0 && (this.#open[at - 1] as OpenTransaction).firstOffset > firstOffset) at--
    this.#open.splice(at, 0, { producerId, firstOffset })
  }

  /** @returns the index entry of this transaction, should it have been aborted */
  end(producerId: number, lastOffset: number): AbortedTransactionEntry {
    const firstOffset = this.cancel(producerId)
    this.#ended.push({ firstOffset, lastOffset })
    const lastStableOffset = this.#open[0]?.firstOffset ?? lastOffset + 1
    return { producerId, firstOffset, lastOffset, lastStableOffset }
  }

  /** The marker of the newest ended transaction was not written after all. */
  reopen(producerId: number, firstOffset: number): void {
    this.#ended.pop()
    this.begin(producerId, firstOffset)
  }

  /** The beginning was not written after all, or it ends. */
  cancel(producerId: number): number {
    const at = this.#open.findIndex((transaction) => transaction.producerId === producerId)
    assert(at >= 0, 'a transaction that ends is open')
    return (this.#open.splice(at, 1)[0] as OpenTransaction).firstOffset
  }

  /** @returns true when something became stable */
  highWatermarkMoved(highWatermark: number): boolean {
    if (this.#ended.length === 0) return false
    const before = this.#ended.length
    this.#ended = this.#ended.filter(({ lastOffset }) => lastOffset >= highWatermark)
    return this.#ended.length !== before
  }
}
