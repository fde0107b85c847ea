import { DedupeWindow } from './dedupe-window.ts'
import { ExpiryQueue } from './expiry-queue.ts'
import { isDeleteMarker, type PublishFacts, ttlSecondsOf } from './publish-facts.ts'
import { ScheduleBook } from './schedule/schedule-book.ts'
import { PURGE_SCHEDULE } from './schedule/schedule-pattern.ts'
import { type StreamConfig, toMs } from './stream-config.ts'
import { StreamIndex } from './stream-index.ts'
import { SubjectFilter } from './subject-filter.ts'

const MS = 1000

/** A message in the order of the log, without its bytes. */
export interface StateMessage {
  readonly sequence: number
  readonly subject: string
  /** As the stream counts it. */
  readonly size: number
  readonly timestampMs: number
  readonly facts: PublishFacts
}

/** Says whether some consumer still wants a message. */
export type IsNeeded = (sequence: number, subject: string) => boolean

/**
 * What follows from the messages of a stream in their order: which are there, and which ids were seen.
 * It knows no clock and no log, so that the same messages give the same state when it is made again.
 */
export class StreamState {
  readonly index: StreamIndex
  readonly window: DedupeWindow
  readonly schedules = new ScheduleBook()
  lastMessageId = ''
  /** Of the last message, though it may be gone; 0: there was none. */
  lastTimeMs = 0
  #config: StreamConfig
  readonly #expiries = new ExpiryQueue()
  /** Messages that no age removes. */
  readonly #eternal = new Set<number>()
  /** Messages that say of a subject that it has none, where such messages are made. */
  readonly #markers = new Set<number>()
  readonly #removed: (sequence: number) => void
  /** null: all are needed until a limit says otherwise. */
  isNeeded: IsNeeded | null = null

  /** @param removed told of each message that is there no more */
  constructor(firstSequence: number, config: StreamConfig, removed: (sequence: number) => void) {
    this.index = new StreamIndex(firstSequence)
    this.window = new DedupeWindow(toMs(config.duplicate_window))
    this.#config = config
    this.#removed = removed
  }

  /** The limits hold from now on, and for what is there. */
  configure(config: StreamConfig): void {
    const before = this.#config
    this.#config = config
    this.window.windowMs = toMs(config.duplicate_window)
    const max = config.max_msgs_per_subject
    if (max > 0 && (before.max_msgs_per_subject <= 0 || max < before.max_msgs_per_subject)) {
      for (const [subject] of [...this.index.countsPerSubject(ALL)]) this.#limitSubject(subject)
    }
    this.#limit()
  }

  apply(message: StateMessage): void {
    const { sequence, subject, size, timestampMs, facts } = message
    this.index.append(sequence, subject, size, timestampMs)
    this.#seen(message)
    this.#live(sequence, timestampMs, facts)
    this.schedules.note(message, true)
    if (facts.rollup !== '' && this.#config.allow_rollup_hdrs)
      this.#rollUp(facts.rollup, subject, sequence)
    this.#endSchedule(facts)
    this.#limitSubject(subject)
    this.#limit()
    if (this.isNeeded !== null && !this.isNeeded(sequence, subject)) this.remove(sequence)
  }

  /** A message that was removed before the state was made. */
  applyRemoved(message: StateMessage): void {
    this.index.skipTo(message.sequence)
    this.#seen(message)
    this.schedules.note(message, false)
    this.#endSchedule(message.facts)
  }

  /** @returns whether it was there */
  remove(sequence: number): boolean {
    if (!this.index.remove(sequence)) return false
    this.#eternal.delete(sequence)
    this.#markers.delete(sequence)
    this.schedules.removed(sequence)
    this.#removed(sequence)
    return true
  }

  /** @returns how many were there */
  removeBefore(sequence: number): number {
    let count = 0
    for (let at = this.index.firstSequence; at < sequence; at = this.index.firstSequence) {
      if (!this.remove(at)) break
      count++
    }
    this.index.skipTo(sequence - 1)
    return count
  }

  /**
   * Removes messages of subjects that pass.
   * @param before and what comes at or after it stays
   * @param keepCount the last ones stay
   */
  purge(filter: SubjectFilter, before: number, keepCount: number): number {
    const count = this.index.pendingCount(0, filter) - this.#countFrom(before, filter)
    let left = Math.max(0, count - keepCount)
    let removed = 0
    let at = this.index.nextSequence(0, filter)
    while (left > 0 && at < before) {
      this.remove(at)
      left--
      removed++
      at = this.index.nextSequence(at + 1, filter)
    }
    return removed
  }

  /** When the next message expires; Infinity: none does. */
  get nextExpiryMs(): number {
    const maxAgeMs = toMs(this.#config.max_age)
    const first = this.#firstMortal()
    const byAge = maxAgeMs > 0 && first !== 0 ? this.index.timeOf(first) + maxAgeMs : NEVER
    return Math.min(byAge, this.#expiries.nextMs)
  }

  /**
   * Removes what expired.
   * @returns subjects whose last message that was, unless it was a delete marker
   */
  expire(nowMs: number): string[] {
    const gone = new Set<string>()
    const expireOne = (sequence: number): void => {
      if (!this.index.has(sequence)) return
      const subject = this.index.subjectOf(sequence)
      const isMarker = this.#markers.has(sequence)
      this.remove(sequence)
      if (this.index.countOf(subject) === 0 && !isMarker) gone.add(subject)
    }
    for (let at = this.#expiries.take(nowMs); at !== 0; at = this.#expiries.take(nowMs)) {
      expireOne(at)
    }
    const maxAgeMs = toMs(this.#config.max_age)
    if (maxAgeMs <= 0) return [...gone]
    for (let at = this.#firstMortal(); at !== 0; at = this.#firstMortal()) {
      if (this.index.timeOf(at) + maxAgeMs > nowMs) break
      expireOne(at)
    }
    return [...gone]
  }

  #countFrom(before: number, filter: SubjectFilter): number {
    return Number.isFinite(before) ? this.index.pendingCount(before, filter) : 0
  }

  #seen({ facts, sequence, timestampMs }: StateMessage): void {
    this.lastTimeMs = timestampMs
    this.lastMessageId = facts.messageId
    if (facts.messageId !== '') this.window.add(facts.messageId, sequence, timestampMs)
  }

  #live(sequence: number, timestampMs: number, facts: PublishFacts): void {
    const { ttl } = facts
    if ((this.#config.subject_delete_marker_ttl ?? 0) > 0 && isDeleteMarker(facts)) {
      this.#markers.add(sequence)
    }
    if (ttl === '' || !this.#config.allow_msg_ttl) return
    const seconds = ttlSecondsOf(ttl)
    if (seconds === null || seconds === 0) return
    if (seconds === Number.POSITIVE_INFINITY) this.#eternal.add(sequence)
    else this.#expiries.add(sequence, timestampMs + seconds * MS)
  }

  #rollUp(rollup: string, subject: string, sequence: number): void {
    if (!this.#config.allow_rollup_hdrs || this.#config.deny_purge) return
    if (rollup === 'all') this.removeBefore(sequence)
    if (rollup !== 'sub') return
    for (;;) {
      const first = this.index.firstOf(subject)
      if (first === 0 || first >= sequence || !this.remove(first)) return
    }
  }

  /** The last message of a schedule takes the schedule with it. */
  #endSchedule({ scheduleNext, scheduler }: PublishFacts): void {
    if (scheduleNext !== PURGE_SCHEDULE || scheduler === '') return
    if (!this.#config.allow_rollup_hdrs || this.#config.deny_purge) return
    while (this.remove(this.index.firstOf(scheduler)));
  }

  #limitSubject(subject: string): void {
    const max = this.#config.max_msgs_per_subject
    if (max <= 0) return
    while (this.index.countOf(subject) > max) this.remove(this.index.firstOf(subject))
  }

  #limit(): void {
    const { max_msgs: maxMessages, max_bytes: maxBytes } = this.#config
    const { index } = this
    while (maxMessages > 0 && index.messageCount > maxMessages) this.remove(index.firstSequence)
    while (maxBytes > 0 && index.byteCount > maxBytes && index.messageCount > 0) {
      this.remove(index.firstSequence)
    }
  }

  /** The first message that can grow too old; 0: there is none. */
  #firstMortal(): number {
    let at = this.index.firstSequence
    while (this.#eternal.size > 0 && this.#eternal.has(at)) at = this.index.next(at + 1)
    return this.index.has(at) ? at : 0
  }
}

const ALL = new SubjectFilter([])
const NEVER = Number.POSITIVE_INFINITY
