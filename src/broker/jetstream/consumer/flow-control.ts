/** Source: JsFlowControlMaxPending of nats-server. */
const MAX_PENDING_BYTES = 32 * 1024 * 1024
/** The window begins small and doubles with each answer. */
const FIRST_WINDOW_BYTES = MAX_PENDING_BYTES / 16

/**
 * How much a push consumer may send before its client says that it has read it. Asked for at half the
 * window, so that a quick client is never waited for.
 */
export class FlowControl {
  #windowBytes = FIRST_WINDOW_BYTES
  #sentBytes = 0
  /** What the client answers to; empty: it was not asked. */
  #asked = ''
  /** Bytes that the answer accounts for. */
  #askedBytes = 0

  /** Where the client's answer is awaited; empty: nowhere. */
  get asked(): string {
    return this.#asked
  }

  get isBlocked(): boolean {
    return this.#sentBytes > this.#windowBytes
  }

  /**
   * A message was sent.
   * @param isFull no more may be sent before acks come, and acks come with the answer
   * @returns whether it is time to ask the client
   */
  sent(byteCount: number, isFull: boolean): boolean {
    this.#sentBytes += byteCount
    if (this.#asked === '') return isFull || this.#sentBytes > this.#windowBytes / 2
    if (this.#sentBytes - this.#askedBytes >= this.#windowBytes) this.#askedBytes += byteCount
    return false
  }

  ask(subject: string): void {
    this.#asked = subject
    this.#askedBytes = this.#sentBytes
  }

  /** @returns false for an answer to something else */
  answered(subject: string): boolean {
    if (subject !== this.#asked) return false
    this.#windowBytes = Math.min(MAX_PENDING_BYTES, this.#windowBytes * 2)
    this.#sentBytes = Math.max(0, this.#sentBytes - this.#askedBytes)
    this.#asked = ''
    this.#askedBytes = 0
    return true
  }
}
