import type { AbortedTransaction } from '../../../ports/partition-log.ts'
import {
  isControl,
  isTransactional,
  lastOffsetOf,
  producerIdOf,
} from '../../../records/record-batch.ts'

/** Says which batches of a slice belong to transactions that were aborted. */
export class AbortedRecords {
  readonly #aborted: AbortedTransaction[]
  readonly #open = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#aborted = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Call it for each batch in order. */
  has(bytes: Buffer, position: number): boolean {
    if (!isTransactional(bytes, position)) return false
    const last = lastOffsetOf(bytes, position)
    while ((this.#aborted[0]?.firstOffset ?? Number.POSITIVE_INFINITY) <= last) {
      this.#open.add((this.#aborted.shift() as AbortedTransaction).producerId)
    }
    const producerId = producerIdOf(bytes, position)
    // The marker of an aborted transaction ends it.
    if (isControl(bytes, position)) return this.#open.delete(producerId)
    return this.#open.has(producerId)
  }
}
