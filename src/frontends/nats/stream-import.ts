import { isOverlap } from '../../broker/subjects/subject-overlap.ts'
import { isSubset } from '../../broker/subjects/subject-subset.ts'
import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import type { Account } from './account.ts'
import type { ImportSettings } from './auth/security-settings.ts'
import type { TracedMessage } from './server-publisher.ts'
import { mapSubject } from './subject-mapping.ts'
import type { SharedTail, Subscriber, Subscription } from './subscription.ts'
import type { MessageTrace } from './tracing/message-trace.ts'
import { takeTraced } from './tracing/take-traced.ts'

/** Where tokens of the exporter's subject go, anywhere in a subject. */
const REFERENCES = /\$\d+|\{\{wildcard\(\d+\)\}\}/g

/** Listens in the account that exports a stream, for the one that imports it. */
export class StreamImport implements Subscriber {
  readonly #importer: Account
  readonly #subject: string
  readonly #localSubject: string
  readonly #allowsTrace: boolean
  #isAsking = false

  constructor(importer: Account, { subject, localSubject, allowsTrace = false }: ImportSettings) {
    this.#importer = importer
    this.#allowsTrace = allowsTrace
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
    const { to, subject, reply, headers, payload } = this.#imported(message)
    const { publisher } = this.#importer
    return publisher.publishTo(to, subject, reply, headers, payload) !== 'nobody'
  }

  deliverTraced(
    _subscription: Subscription,
    message: PublishedMessage,
    _publisher: Subscriber,
    _shared: SharedTail,
    trace: MessageTrace,
  ): boolean {
    const imported = this.#imported(message)
    const { publisher, name } = this.#importer
    return publisher.publishTraced({ ...imported, trace }, (subscription, ...rest) => {
      trace.streamExported(name, imported.to)
      if (this.#allowsTrace)
        return trace.renaming(this.#exportedName, () => takeTraced(subscription, ...rest))
      const [taken, from, shared] = rest
      return trace.isOnly || subscription.subscriber.deliver(subscription, taken, from, shared)
    })
  }

  /** What the exporter calls what a subscription of the importer listens to. */
  readonly #exportedName = (subject: string): string => {
    const isPart = isSubset(subject, this.#localSubject)
    return isPart ? mapSubject(subject, this.#localSubject, this.#subject) : this.#subject
  }

  #imported(message: PublishedMessage): Omit<TracedMessage, 'trace'> {
    const own = message.subject()
    const to = mapSubject(message.target || own, this.#subject, this.#localSubject)
    return {
      to,
      // What a consumer sends keeps the subject that it was stored with.
      subject: message.target === '' ? to : own,
      reply: message.replyBytes(),
      headers: message.headers(),
      payload: message.payload(),
    }
  }
}
