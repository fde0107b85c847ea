import type { Clock } from '../../ports/clock.ts'

/** A page-cache write of this speed or faster is healthy. */
const SLOWEST_BYTES_PER_MS = 100_000
const SLACK_MS = 10
const ESCAPE_MS = 2000

/**
 * Decides whether the event loop may write. Writes into the page cache are fastest there, until the
 * kernel makes writers wait because too much is unwritten: then they go to the thread pool for a
 * while. One for all logs, since the kernel's limit is one for all files.
 */
export class WritePacer {
  readonly #clock: Clock
  readonly #maxUnsyncedBytes: number
  readonly #maxUnwrittenBytes: number
  #escapeUntilMs = 0
  /** Of all logs: appended, but not even in the page cache. */
  unwrittenBytes = 0

  /**
   * @param maxUnsyncedBytes per log: above it, writes of the log don't block the loop
   * @param maxUnwrittenBytes of all logs: above it, appends are refused
   */
  constructor(clock: Clock, maxUnsyncedBytes: number, maxUnwrittenBytes: number) {
    this.#clock = clock
    this.#maxUnsyncedBytes = maxUnsyncedBytes
    this.#maxUnwrittenBytes = maxUnwrittenBytes
  }

  /** The disk hangs, and those who waited for it have given up: memory holds what they sent. */
  get isOverloaded(): boolean {
    return this.unwrittenBytes > this.#maxUnwrittenBytes
  }

  nowMs(): number {
    return this.#clock.monotonicMs()
  }

  mayBlock(unsyncedBytes: number, nowMs: number): boolean {
    return unsyncedBytes <= this.#maxUnsyncedBytes && nowMs >= this.#escapeUntilMs
  }

  /** Learns from a write that blocked from `startedMs` until now. */
  observe(byteCount: number, startedMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - startedMs > SLACK_MS + byteCount / SLOWEST_BYTES_PER_MS)
      this.#escapeUntilMs = nowMs + ESCAPE_MS
  }
}
