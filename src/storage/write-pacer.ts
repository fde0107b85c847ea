import type { Clock } from '../ports/clock.ts'

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
  #escapeUntilMs = 0

  /** @param maxUnsyncedBytes per log: above it, writes of the log don't block the loop */
  constructor(clock: Clock, maxUnsyncedBytes: number) {
    this.#clock = clock
    this.#maxUnsyncedBytes = maxUnsyncedBytes
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
