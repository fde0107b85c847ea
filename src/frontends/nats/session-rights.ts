import { subjectBytesOf } from '../../broker/subjects/subject-router.ts'
import type { Clock } from '../../ports/clock.ts'
import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import type { SubjectPermissions } from './auth/subject-permissions.ts'

/** Requests whose answers are expected at one time; the oldest is forgotten first. */
const MAX_EXPECTED = 4096

interface Expected {
  leftCount: number
  readonly untilMs: number
}

/** What one client may do now: its permissions, and the answers to requests that it got. */
export class SessionRights {
  readonly #clock: Clock
  #permissions: SubjectPermissions | null = null
  readonly #expected = new Map<string, Expected>()
  #wasAllowed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get permissions(): SubjectPermissions | null {
    return this.#permissions
  }

  set permissions(permissions: SubjectPermissions | null) {
    this.#permissions = permissions
    this.#wasAllowed = false
    this.#expected.clear()
  }

  /** The client may answer messages that it gets, so each one counts. */
  get notesRequests(): boolean {
    return this.#permissions !== null && this.#permissions.responses !== null
  }

  mayPublish(message: PublishedMessage): boolean {
    const permissions = this.#permissions
    if (permissions === null) return true
    // What was allowed for the same subject just now is allowed again.
    if (message.isSameSubject && this.#wasAllowed) return true
    this.#wasAllowed = permissions.mayPublish(message)
    return this.#wasAllowed || (this.#expected.size > 0 && this.#isExpected(message.subject()))
  }

  /** The next message is not compared with the one before. */
  forgetLast(): void {
    this.#wasAllowed = false
  }

  /** Whether the client could publish there, without being asked to. One character for each byte. */
  mayPublishTo(subject: string): boolean {
    const permissions = this.#permissions
    return permissions === null || permissions.mayPublish(subjectBytesOf(subject))
  }

  maySubscribe(subject: string, queue: string): boolean {
    return this.#permissions === null || this.#permissions.maySubscribe(subject, queue)
  }

  /** For a subscription that takes in subjects that are denied. */
  mayReceive(message: PublishedMessage): boolean {
    return this.#permissions?.mayReceive(message) !== false
  }

  /** The client got a message with a reply. */
  noteRequest(message: PublishedMessage): void {
    const rules = this.#permissions?.responses
    if (rules === null || rules === undefined) return
    const reply = message.reply()
    this.#expected.delete(reply)
    if (this.#expected.size >= MAX_EXPECTED) this.#forgetOldest()
    this.#expected.set(reply, {
      leftCount: rules.maxCount < 0 ? Number.POSITIVE_INFINITY : rules.maxCount,
      untilMs: rules.ttlMs < 0 ? Number.POSITIVE_INFINITY : this.#clock.monotonicMs() + rules.ttlMs,
    })
  }

  #isExpected(subject: string): boolean {
    const expected = this.#expected.get(subject)
    if (expected === undefined) return false
    const isInTime = this.#clock.monotonicMs() <= expected.untilMs
    if (!isInTime || --expected.leftCount <= 0) this.#expected.delete(subject)
    return isInTime
  }

  #forgetOldest(): void {
    for (const reply of this.#expected.keys()) {
      this.#expected.delete(reply)
      return
    }
  }
}
