import type { Clock } from '../../../../ports/clock.ts'
import type { Scheduler, Timer } from '../../../../ports/scheduler.ts'
import { firstMillisecondFrom } from '../../rfc3339.ts'
import type { Stream } from '../stream.ts'
import type { StreamSource } from '../stream-config.ts'
import type { StreamWatcher } from '../stream-reader.ts'
import { StreamRefusals } from '../stream-refusal.ts'
import type { CopiedMessage, MessageFollower, OriginStatus } from './origin-status.ts'
import { SourceSubjects } from './source-subjects.ts'

/** Takes copies of messages, in order. */
export interface OriginSink {
  /** The next sequence of the origin to be copied; null: nothing was copied so far. */
  next(origin: Stream): number | null
  /** @param done told once how many of them, from the first on, are durable */
  take(messages: readonly CopiedMessage[], origin: Stream, done: (count: number) => void): void
  /** Runs once all that is under way is durable or failed. */
  whenCaughtUp(run: () => void): void
}

export interface OriginFollowerOptions {
  readonly source: StreamSource
  readonly sink: OriginSink
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly find: (name: string) => Stream | undefined
}

/** What is read and copied at once: messages, and bytes as streams count them. */
const MAX_MESSAGES = 512
const MAX_BYTES = 1024 * 1024

const RETRY_MS = 250
const NANOSECONDS_A_MS = 1_000_000

/** Copies one origin into a stream, for as long as there is one, and begins again when there is another. */
export class OriginFollower implements StreamWatcher, MessageFollower {
  readonly source: StreamSource
  readonly #options: OriginFollowerOptions
  readonly #subjects: SourceSubjects
  #origin: Stream | null = null
  /** The next sequence of the origin to look at. */
  #next = 0
  #isBusy = false
  #isClosed = false
  #heardMs = -1
  #lag = 0
  #retry: Timer | null = null

  constructor(options: OriginFollowerOptions) {
    this.source = options.source
    this.#options = options
    this.#subjects = new SourceSubjects(options.source)
  }

  get status(): OriginStatus {
    const origin = this.#origin
    const { filter } = this.#subjects
    if (origin !== null) {
      this.#lag = origin.pendingCount(this.#next, filter)
      this.#heardMs = this.#options.clock.nowMs()
    }
    const silentMs = this.#options.clock.nowMs() - this.#heardMs
    return {
      source: this.source,
      lag: this.#lag,
      activeNanoseconds: this.#heardMs === -1 ? -1 : silentMs * NANOSECONDS_A_MS,
      error: this.#options.find(this.source.name) === undefined ? StreamRefusals.notFound : null,
    }
  }

  /** The origin may be there now. */
  start(): void {
    if (this.#isBusy || this.#isClosed || this.#origin !== null) return
    if (this.#options.find(this.source.name) === undefined) return
    this.#isBusy = true
    this.#options.sink.whenCaughtUp(() => {
      this.#isBusy = false
      this.#connect()
    })
  }

  close(): void {
    this.#isClosed = true
    this.#leave()
  }

  /** Whether a message of the origin is still to be copied. */
  needs(sequence: number, subject: string): boolean {
    return sequence >= this.#next && this.#subjects.filter.passes(subject)
  }

  appended(): void {
    this.#pump()
  }

  removed(): void {
    // What can't be copied any more is left out when its turn comes.
  }

  gone(): void {
    this.#leave()
  }

  #leave(): void {
    this.#origin?.unwatch(this)
    this.#origin?.followers.delete(this)
    this.#origin = null
    this.#retry?.cancel()
    this.#retry = null
  }

  #connect(): void {
    const { find, sink } = this.#options
    const origin = find(this.source.name)
    if (this.#isClosed || this.#origin !== null || origin === undefined) return
    this.#origin = origin
    this.#next = sink.next(origin) ?? this.#firstOf(origin)
    origin.watch(this)
    origin.followers.add(this)
    this.#pump()
  }

  #firstOf(origin: Stream): number {
    const { opt_start_seq: sequence = 0, opt_start_time: time } = this.source
    if (sequence > 0) return sequence
    const timeMs = time === undefined ? null : firstMillisecondFrom(time)
    return timeMs === null ? 0 : origin.state.index.sequenceAtTime(timeMs)
  }

  #pump(): void {
    const origin = this.#origin
    if (origin === null || this.#isBusy || this.#isClosed || this.#retry !== null) return
    const sequences = this.#following(origin)
    const last = sequences.at(-1)
    if (last === undefined) {
      this.#next = Math.max(this.#next, origin.lastSequence + 1)
      return
    }
    this.#isBusy = true
    origin.read(sequences, (error, read) => {
      if (this.#isClosed || this.#origin !== origin || error !== null) {
        this.#took(origin, this.#next, error !== null, [])
        return
      }
      const messages = read.filter((message) => message !== null)
      const changed = messages.map((message) => ({
        ...message,
        originSubject: message.subject,
        subject: this.#subjects.subjectOf(message.subject),
      }))
      this.#options.sink.take(changed, origin, (count) => {
        const isWhole = count === messages.length
        const next = isWhole ? last + 1 : (messages[count]?.sequence ?? last)
        this.#took(
          origin,
          next,
          !isWhole,
          isWhole ? sequences : sequences.filter((one) => one < next),
        )
      })
    })
  }

  #following(origin: Stream): number[] {
    const sequences: number[] = []
    let byteCount = 0
    let at = origin.nextSequence(this.#next, this.#subjects.filter)
    while (Number.isFinite(at) && sequences.length < MAX_MESSAGES && byteCount < MAX_BYTES) {
      sequences.push(at)
      byteCount += origin.state.index.sizeOf(at)
      at = origin.nextSequence(at + 1, this.#subjects.filter)
    }
    return sequences
  }

  #took(origin: Stream, next: number, mustWait: boolean, copied: readonly number[]): void {
    const { scheduler } = this.#options
    this.#isBusy = false
    if (this.#isClosed) return
    if (this.#origin !== origin) {
      this.start()
      return
    }
    this.#next = next
    origin.copied(copied)
    if (!mustWait) {
      scheduler.endOfTurn(() => this.#pump())
      return
    }
    this.#retry = scheduler.after(RETRY_MS, () => {
      this.#retry = null
      this.#pump()
    })
  }
}
