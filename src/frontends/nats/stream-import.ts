import { isOverlap } from '../../broker/subjects/subject-overlap.ts'
import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import type { Account } from './account.ts'
import { mapSubject } from './subject-mapping.ts'
import type { Subscriber, Subscription } from './subscription.ts'

/** Where tokens of the exporter's subject go, anywhere in a subject. */
const REFERENCES = /\$\d+|\{\{wildcard\(\d+\)\}\}/g

/** Listens in the account that exports a stream, for the one that imports it. */
export class StreamImport implements Subscriber {
  readonly #importer: Account
  readonly #subject: string
  readonly #localSubject: string
  #isAsking = false

  constructor(importer: Account, subject: string, localSubject: string) {
    this.#importer = importer
    this.#subject = subject
    this.#localSubject = localSubject
  }

  /** @param subject of the exporter */
  hasInterest(subject: string): boolean {
    const local = mapSubject(subject, this.#subject, this.#localSubject)
    return this.#once(() => this.#importer.publisher.hasInterest(local))
  }

  /** Tells the exporter when somebody begins or ends to listen to what is imported. */
  watch(exporter: Account): { stop(): void } {
    const local = this.#localSubject.replace(REFERENCES, '*')
    return this.#importer.publisher.forwardInterest((changed) => {
      if (!isOverlap(changed, local)) return
      this.#once(() => {
        exporter.publisher.interestChanged(this.#subject)
        return true
      })
    })
  }

  /** Accounts may import from each other: a question that comes back has no new answer. */
  #once(ask: () => boolean): boolean {
    if (this.#isAsking) return false
    this.#isAsking = true
    const answer = ask()
    this.#isAsking = false
    return answer
  }

  deliver(_subscription: Subscription, message: PublishedMessage): boolean {
    const own = message.subject()
    const to = mapSubject(message.target || own, this.#subject, this.#localSubject)
    // What a consumer sends keeps the subject that it was stored with.
    const subject = message.target === '' ? to : own
    const reply = message.replyBytes()
    const { publisher } = this.#importer
    const headers = message.headers()
    return publisher.publishTo(to, subject, reply, headers, message.payload()) !== 'nobody'
  }
}
