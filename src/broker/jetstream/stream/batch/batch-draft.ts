import type { PublishFacts } from '../publish-facts.ts'
import type { Prospect } from '../publish-rules.ts'
import { type NewMessage, sizeOf } from '../record-mapping.ts'

interface SubjectInDraft {
  count: number
  last: number
  isSchedule: boolean
}

/** What a stream will be once the messages of a batch so far are in it; or they never will be. */
export class BatchDraft implements Prospect {
  /** Without the batch. */
  readonly base: Prospect
  readonly #subjects = new Map<string, SubjectInDraft>()
  readonly #messageIds = new Set<string>()
  #messageCount = 0
  #byteCount = 0

  constructor(base: Prospect) {
    this.base = base
  }

  get isEmpty(): boolean {
    return this.#messageCount === 0
  }

  get lastSequence(): number {
    return this.base.lastSequence + this.#messageCount
  }

  get lastMessageId(): string {
    return this.base.lastMessageId
  }

  get messageCount(): number {
    return this.base.messageCount + this.#messageCount
  }

  get byteCount(): number {
    return this.base.byteCount + this.#byteCount
  }

  countOf(subject: string): number {
    return this.base.countOf(subject) + (this.#subjects.get(subject)?.count ?? 0)
  }

  /** @param subject without wildcards */
  lastOf(subject: string): number {
    return this.#subjects.get(subject)?.last ?? this.base.lastOf(subject)
  }

  firstSizeOf(subject: string): number {
    return this.base.firstSizeOf(subject)
  }

  mayBeSchedule(subject: string): boolean {
    return this.#subjects.get(subject)?.isSchedule ?? this.base.mayBeSchedule(subject)
  }

  hasSubject(subject: string): boolean {
    return this.#subjects.has(subject)
  }

  hasMessageId(messageId: string): boolean {
    return this.#messageIds.has(messageId)
  }

  noteMessageId(messageId: string): void {
    if (messageId !== '') this.#messageIds.add(messageId)
  }

  add(message: NewMessage, { schedule }: PublishFacts): void {
    const isSchedule = schedule !== ''
    this.#messageCount++
    this.#byteCount += sizeOf(message)
    const last = this.lastSequence
    const its = this.#subjects.get(message.subject)
    if (its === undefined) this.#subjects.set(message.subject, { count: 1, last, isSchedule })
    else {
      its.count++
      its.last = last
      its.isSchedule = isSchedule
    }
  }
}
