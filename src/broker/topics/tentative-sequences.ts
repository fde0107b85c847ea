interface Tentative {
  readonly producerEpoch: number
  readonly sequence: number
}

/** A partition remembers so many producers; the oldest are forgotten first. */
const MAX_PRODUCERS = 1000

/**
 * Batches of a new transaction that were refused only for now. Until the lowest of them came again,
 * later ones are out of order: a producer sends several at once, and where nothing of it is known
 * any sequence is taken for its first. Source: VerificationStateEntry, Kafka 4.4 (KIP-890).
 */
export class TentativeSequences {
  readonly #producers = new Map<number, Tentative>()

  refused(producerId: number, producerEpoch: number, sequence: number): void {
    const known = this.#producers.get(producerId)
    if (known !== undefined && known.producerEpoch > producerEpoch) return
    const isSameEpoch = known?.producerEpoch === producerEpoch
    if (known !== undefined && isSameEpoch && known.sequence <= sequence) return
    this.#producers.delete(producerId)
    this.#producers.set(producerId, { producerEpoch, sequence })
    if (this.#producers.size <= MAX_PRODUCERS) return
    for (const oldest of this.#producers.keys()) {
      this.#producers.delete(oldest)
      return
    }
  }

  isOutOfOrder(producerId: number, producerEpoch: number, sequence: number): boolean {
    const known = this.#producers.get(producerId)
    return known?.producerEpoch === producerEpoch && sequence > known.sequence
  }

  /** The transaction began here, so the log knows the sequences. */
  begun(producerId: number): void {
    this.#producers.delete(producerId)
  }
}
