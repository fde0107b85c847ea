/** Acknowledgements so many messages apart that the sum over all batches of a stream stays the same. */
const SHARED_ACK_EVERY = 500

/** Told of what a batch tells its publisher. */
export interface FastBatchAnswers {
  /**
   * Messages up to here are durable, or were left out.
   * @param ackEvery the next acknowledgement comes after so many more
   */
  flow(reply: string, batchSequence: number, ackEvery: number): void
}

export interface FastBatchOptions {
  readonly id: string
  /** Messages that are lost on the way, or refused, don't end it. */
  readonly isGapAllowed: boolean
  /** The publisher wants to hear at least after so many messages. */
  readonly maxAckEvery: number
  /** Batches of the stream that are open, with this one. */
  readonly openCount: number
  readonly answers: FastBatchAnswers
}

/**
 * How far a fast batch is, in sequences of the batch, and how often its publisher is told.
 * Source: fastBatch of nats-server.
 */
export class FastBatch {
  readonly id: string
  readonly isGapAllowed: boolean
  readonly #maxAckEvery: number
  readonly #answers: FastBatchAnswers
  #ackEvery: number
  /** Of the last acknowledgement. */
  #acknowledged = 0
  /** Of the last message that came. */
  last = 0
  /** Up to here all are durable, or will never be. */
  persisted = 0
  /** On their way to the disk. */
  pendingCount = 0
  /** In the stream, of the last message that is durable. */
  streamSequence = 0
  /** No message may follow; it ends when all that came before is durable, and then answers here. */
  commitReply: string | null = null
  isClosed = false
  /** When the last message came. */
  lastMs = 0

  constructor(options: FastBatchOptions) {
    this.id = options.id
    this.isGapAllowed = options.isGapAllowed
    this.#maxAckEvery = options.maxAckEvery
    this.#answers = options.answers
    this.#ackEvery = options.openCount > 1 ? 1 : Math.min(SHARED_ACK_EVERY, options.maxAckEvery)
  }

  get isCommitting(): boolean {
    return this.commitReply !== null
  }

  /** All that came is durable or left out. */
  get isPersisted(): boolean {
    return this.persisted === this.last
  }

  /** Nothing is on its way, so what is not durable will never be. */
  settle(): void {
    if (this.pendingCount === 0) this.persisted = this.last
  }

  /** The first answer: how often others will come. */
  greet(reply: string): void {
    this.#answers.flow(reply, 0, this.#ackEvery)
  }

  acknowledge(reply: string): void {
    this.#answers.flow(reply, this.#acknowledged, this.#ackEvery)
  }

  /**
   * Acknowledges if it is time to; then the distance changes, slowly.
   * @returns whether it did
   */
  acknowledgeIfDue(reply: string, openCount: number): boolean {
    const every = this.#ackEvery
    const steps = Math.floor((this.persisted - this.#acknowledged) / every)
    if (steps < 1) return false
    this.#acknowledged += steps * every
    const share = Math.max(Math.floor(SHARED_ACK_EVERY / openCount), 1)
    const max = Math.min(share, this.#maxAckEvery)
    if (every < max) this.#ackEvery = Math.min(every * 2, max)
    else if (every > max) this.#ackEvery = Math.max(Math.floor(every / 2), max)
    this.acknowledge(reply)
    return true
  }
}
