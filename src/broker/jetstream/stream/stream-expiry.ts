import type { Clock } from '../../../ports/clock.ts'
import type { Scheduler, Timer } from '../../../ports/scheduler.ts'
import { durationText } from '../consumer/duration-text.ts'
import { withHeaders } from './message-headers.ts'
import type { NewMessage } from './record-mapping.ts'
import type { StreamConfig } from './stream-config.ts'
import type { StreamState } from './stream-state.ts'

export interface StreamExpiryOptions {
  readonly config: () => StreamConfig
  readonly state: StreamState
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Messages were removed. */
  readonly removed: () => void
  /** Takes a marker into the stream. */
  readonly publish: (marker: NewMessage) => void
}

const NO_PAYLOAD = Buffer.alloc(0)
const NANOSECONDS_A_SECOND = 1_000_000_000

/** Timers of the scheduler may be early or late by little; what is due within this is done at once. */
const MIN_DELAY_MS = 10
const MAX_DELAY_MS = 3_600_000

/** Removes the messages of a stream whose time is over (max_age, Nats-TTL), and leaves markers. */
export class StreamExpiry {
  readonly #options: StreamExpiryOptions
  #timer: Timer | null = null
  #isClosed = false

  constructor(options: StreamExpiryOptions) {
    this.#options = options
  }

  /** There is a first message, so there is a time to wait for. */
  arm(): void {
    if (this.#timer === null) this.run()
  }

  /** Removes what is due, and waits for what is due next. */
  run(): void {
    this.#timer?.cancel()
    this.#timer = null
    if (this.#isClosed) return
    const { config, state, clock, scheduler, removed } = this.#options
    const nowMs = clock.nowMs()
    if (!config().sealed && state.nextExpiryMs <= nowMs) {
      const gone = state.expire(nowMs)
      removed()
      for (const subject of gone) this.#mark(subject)
    }
    const delayMs = state.nextExpiryMs - nowMs
    if (!Number.isFinite(delayMs)) return
    const bounded = Math.min(Math.max(delayMs, MIN_DELAY_MS), MAX_DELAY_MS)
    this.#timer = scheduler.after(bounded, () => this.run())
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  /** Leaves a message that says that a subject has none any more. Source: ADR-43. */
  #mark(subject: string): void {
    const { subject_delete_marker_ttl: ttl = 0, mirror } = this.#options.config()
    if (ttl <= 0 || this.#isClosed || mirror !== undefined) return
    const seconds = Math.max(1, Math.floor(ttl / NANOSECONDS_A_SECOND))
    const headers = withHeaders(null, [
      ['Nats-Marker-Reason', 'MaxAge'],
      ['Nats-TTL', durationText(seconds * NANOSECONDS_A_SECOND)],
      ['Nats-Rollup', 'sub'],
    ])
    this.#options.publish({ subject, headers, payload: NO_PAYLOAD })
  }
}
