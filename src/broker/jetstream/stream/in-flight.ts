import { publishFactsOf } from './publish-facts.ts'
import type { Prospect } from './publish-rules.ts'
import { type NewMessage, sizeOf } from './record-mapping.ts'
import type { StreamState } from './stream-state.ts'
import { SubjectFilter } from './subject-filter.ts'

interface SubjectInFlight {
  count: number
  last: number
}

/** What was accepted, and is not in the state yet: checks of what comes next must see it. */
export class InFlight implements Prospect {
  readonly #state: StreamState
  lastSequence = 0
  #lastMessageId: string | null = null
  #messageCount = 0
  #byteCount = 0
  readonly #subjects = new Map<string, SubjectInFlight>()
  readonly #messageIds = new Map<string, number>()

  constructor(state: StreamState) {
    this.#state = state
  }

  get lastMessageId(): string {
    return this.#lastMessageId ?? this.#state.lastMessageId
  }

  get messageCount(): number {
    return this.#state.index.messageCount + this.#messageCount
  }

  get byteCount(): number {
    return this.#state.index.byteCount + this.#byteCount
  }

  countOf(subject: string): number {
    return this.#state.index.countOf(subject) + (this.#subjects.get(subject)?.count ?? 0)
  }

  lastOf(subject: string): number {
    const filter = new SubjectFilter([subject])
    if (filter.literal !== null) {
      return this.#subjects.get(subject)?.last ?? this.#state.index.lastOf(subject)
    }
    let last = this.#state.index.lastPerSubject(filter).at(-1) ?? 0
    for (const [name, { last: its }] of this.#subjects) {
      if (its > last && filter.passes(name)) last = its
    }
    return last
  }

  firstSizeOf(subject: string): number {
    const first = this.#state.index.firstOf(subject)
    return first === 0 ? 0 : this.#state.index.sizeOf(first)
  }

  mayBeSchedule(subject: string): boolean {
    return this.#subjects.has(subject) || this.#state.schedules.has(subject)
  }

  /** The sequence of a message under way with the id; 0: none. */
  duplicateOf(messageId: string): number {
    return this.#messageIds.get(messageId) ?? 0
  }

  accepted(message: NewMessage, messageId: string, sequence: number): void {
    const { subject } = message
    this.lastSequence = sequence
    this.#lastMessageId = messageId
    this.#messageCount++
    this.#byteCount += sizeOf(message)
    const its = this.#subjects.get(subject)
    if (its === undefined) this.#subjects.set(subject, { count: 1, last: sequence })
    else {
      its.count++
      its.last = sequence
    }
    if (messageId !== '') this.#messageIds.set(messageId, sequence)
  }

  /** It is in the state now, or will never be. */
  settled(message: NewMessage, sequence: number): void {
    const { subject } = message
    this.#messageCount--
    this.#byteCount -= sizeOf(message)
    const its = this.#subjects.get(subject)
    if (its !== undefined && --its.count === 0) this.#subjects.delete(subject)
    const { messageId } = publishFactsOf(message.headers)
    if (this.#messageIds.get(messageId) === sequence) this.#messageIds.delete(messageId)
    if (this.#messageCount === 0) this.#lastMessageId = null
  }
}
