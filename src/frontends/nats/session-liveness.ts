/** What is asked of a session after some time. */
export type Overdue = 'ping' | 'stale' | 'slow' | null

export interface LivenessLimits {
  readonly pingIntervalMs: number
  /** Pings without an answer before a connection is stale. */
  readonly maxPingsOut: number
  /** A client that takes nothing of what it is sent for so long is closed. */
  readonly writeDeadlineMs: number
}

/** Whether a client still answers, and takes what it is sent. */
export class SessionLiveness {
  readonly #limits: LivenessLimits
  #pingsOut = 0
  #pingedAtMs = 0
  #sinceHeardMs = 0
  #sinceSentMs = 0
  #lastSentCount = 0
  /** How long the last answer took; -1: not known yet. */
  roundTripMs = -1

  constructor(limits: LivenessLimits) {
    this.#limits = limits
  }

  heard(): void {
    this.#sinceHeardMs = 0
  }

  pinged(nowMs: number): void {
    this.#pingsOut++
    this.#pingedAtMs = nowMs
  }

  answered(nowMs: number): void {
    if (this.#pingsOut > 0) this.roundTripMs = nowMs - this.#pingedAtMs
    this.#pingsOut = 0
  }

  /**
   * @param pendingBytes that the client has not taken
   * @param sentCount what it took, ever
   */
  passed(byMs: number, pendingBytes: number, sentCount: number): Overdue {
    const limits = this.#limits
    const isTaking = pendingBytes === 0 || sentCount !== this.#lastSentCount
    this.#lastSentCount = sentCount
    this.#sinceSentMs = isTaking ? 0 : this.#sinceSentMs + byMs
    if (this.#sinceSentMs >= limits.writeDeadlineMs) return 'slow'
    this.#sinceHeardMs += byMs
    if (this.#sinceHeardMs < limits.pingIntervalMs) return null
    this.#sinceHeardMs = 0
    return this.#pingsOut >= limits.maxPingsOut ? 'stale' : 'ping'
  }
}
