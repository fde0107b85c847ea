import { millisecondsOf } from '../../rfc3339.ts'
import { ExpiryQueue } from '../expiry-queue.ts'
import type { PublishFacts } from '../publish-facts.ts'
import { PURGE_SCHEDULE, parseSchedule } from './schedule-pattern.ts'

/** A message in the order of the log. */
interface NotedMessage {
  readonly subject: string
  readonly sequence: number
  readonly timestampMs: number
  readonly facts: PublishFacts
}

/** A schedule, which is the last message of its subject. */
export interface Schedule {
  readonly subject: string
  readonly sequence: number
  /** When its next message is due. */
  readonly dueMs: number
  /** When to look at it: later than it is due after something went wrong. */
  readonly wakeMs: number
}

/** Entries of the queue that no schedule stands behind any more, before it is made anew. */
const MIN_STALE = 64

/**
 * The schedules among the messages of a stream. All follows from the messages in their order: a
 * schedule says when it is due first, the messages that it made say when it is due again.
 */
export class ScheduleBook {
  readonly #bySubject = new Map<string, Schedule>()
  readonly #bySequence = new Map<number, string>()
  #queue = new ExpiryQueue()
  #queuedCount = 0

  has(subject: string): boolean {
    return this.#bySubject.has(subject)
  }

  /** When to look next; Infinity: never. It may be too early. */
  get nextMs(): number {
    return this.#queue.nextMs
  }

  /** @param isThere it was not removed yet */
  note({ subject, sequence, timestampMs, facts }: NotedMessage, isThere: boolean): void {
    const { schedule, scheduleTimeZone, scheduler, scheduleNext } = facts
    if (schedule !== '' && isThere) {
      const pattern = parseSchedule(schedule, scheduleTimeZone)
      const dueMs = typeof pattern === 'string' ? null : pattern.after(timestampMs)
      if (dueMs !== null) this.#set({ subject, sequence, dueMs, wakeMs: dueMs })
      else this.#drop(subject)
    } else if (schedule !== '' || scheduler === '') this.#drop(subject)
    if (scheduleNext === '' || scheduleNext === PURGE_SCHEDULE) return
    const its = this.#bySubject.get(scheduler)
    const dueMs = millisecondsOf(scheduleNext)
    if (its !== undefined && dueMs !== null) this.#set({ ...its, dueMs, wakeMs: dueMs })
  }

  removed(sequence: number): void {
    if (this.#bySequence.size === 0) return
    const subject = this.#bySequence.get(sequence)
    if (subject !== undefined) this.#drop(subject)
  }

  /** Takes those that are due, in the order of their messages: they come again once their message is stored. */
  take(nowMs: number): Schedule[] {
    const due: Schedule[] = []
    for (;;) {
      const wakeMs = this.#queue.nextMs
      const sequence = this.#queue.take(nowMs)
      if (sequence === 0) break
      this.#queuedCount--
      const its = this.#bySubject.get(this.#bySequence.get(sequence) ?? '')
      if (its?.wakeMs === wakeMs) due.push(its)
    }
    return due.sort((one, other) => one.sequence - other.sequence)
  }

  /** One that was taken is to be taken again. */
  postpone({ subject, sequence }: Schedule, wakeMs: number): void {
    const its = this.#bySubject.get(subject)
    if (its?.sequence === sequence) this.#set({ ...its, wakeMs })
  }

  #set(schedule: Schedule): void {
    const { subject, sequence, wakeMs } = schedule
    const before = this.#bySubject.get(subject)
    if (before !== undefined) this.#bySequence.delete(before.sequence)
    this.#bySubject.set(subject, schedule)
    this.#bySequence.set(sequence, subject)
    this.#queue.add(sequence, wakeMs)
    this.#queuedCount++
    if (this.#queuedCount > 2 * this.#bySubject.size + MIN_STALE) this.#queueAnew()
  }

  #drop(subject: string): void {
    const its = this.#bySubject.get(subject)
    if (its === undefined) return
    this.#bySubject.delete(subject)
    this.#bySequence.delete(its.sequence)
  }

  #queueAnew(): void {
    this.#queue = new ExpiryQueue()
    this.#queuedCount = this.#bySubject.size
    for (const { sequence, wakeMs } of this.#bySubject.values()) this.#queue.add(sequence, wakeMs)
  }
}
