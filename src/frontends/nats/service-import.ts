import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import type { Account } from './account.ts'
import { textBytes } from './server-publisher.ts'
import { mapSubject } from './subject-mapping.ts'
import { type SharedTail, type Subscriber, Subscription } from './subscription.ts'
import type { MessageTrace } from './tracing/message-trace.ts'
import { withoutTrace } from './tracing/trace-headers.ts'

/** Requests under way through one import; the oldest is forgotten first. */
const MAX_EXPECTED = 65_536

/** Who asked, for the one who answers. Source: ClientInfoHdr of nats-server. */
const REQUEST_INFO = 'Nats-Request-Info'
const VERSION_LINE = 'NATS/1.0\r\n'

let nextReply = 0

/** What the exporter says of a service. */
export interface ServiceTerms {
  /** There is more than one answer to a request. */
  readonly answersOften: boolean
  /** The importer sees where in the exporter's account a traced message goes. */
  readonly allowsTrace: boolean
}

/** Listens in the account that imports a service, and asks in the one that exports it. */
export class ServiceImport implements Subscriber {
  readonly #importer: Account
  readonly #exporter: Account
  readonly #subjects: { readonly local: string; readonly exported: string }
  readonly #answersOften: boolean
  readonly #allowsTrace: boolean
  readonly #expected = new Set<Subscription>()

  constructor(
    importer: Account,
    exporter: Account,
    subjects: { readonly local: string; readonly exported: string },
    { answersOften, allowsTrace }: ServiceTerms,
  ) {
    this.#importer = importer
    this.#exporter = exporter
    this.#subjects = subjects
    this.#answersOften = answersOften
    this.#allowsTrace = allowsTrace
  }

  deliver(_subscription: Subscription, message: PublishedMessage): boolean {
    const { local, exported } = this.#subjects
    const subject = mapSubject(message.subject(), local, exported)
    return this.#ask(message, subject, message.headers(), null)
  }

  deliverTraced(
    _subscription: Subscription,
    message: PublishedMessage,
    _publisher: Subscriber,
    _shared: SharedTail,
    trace: MessageTrace,
  ): boolean {
    const { local, exported } = this.#subjects
    const from = message.subject()
    const subject = mapSubject(from, local, exported)
    trace.serviceImported(this.#exporter.name, from, subject)
    if (trace.isOnly && !this.#allowsTrace) return false
    const headers = withoutTrace(message.headers())
    return this.#ask(message, subject, headers, this.#allowsTrace ? trace : null)
  }

  #ask(
    message: PublishedMessage,
    subject: string,
    headers: Buffer | null,
    trace: MessageTrace | null,
  ): boolean {
    const answer = message.hasReply ? this.#expectAnswer(message.reply()) : null
    const { publisher } = this.#exporter
    const asking = withRequestInfo(headers, this.#importer.name)
    const reply = answer?.subject ?? null
    const payload = message.payload()
    const isTaken =
      trace === null
        ? publisher.publish(subject, reply, asking, payload)
        : publisher.publishTraced({
            ...{ to: subject, subject, payload, trace },
            ...{ reply: textBytes(reply ?? ''), headers: asking },
          })
    const isAnswered = isTaken && trace?.isOnly !== true
    if (!isAnswered && answer !== null) this.#forget(answer)
    return isTaken
  }

  #expectAnswer(reply: string): Subscription {
    if (this.#expected.size >= MAX_EXPECTED) {
      const [oldest] = this.#expected
      if (oldest !== undefined) this.#forget(oldest)
    }
    const answering: Subscriber = {
      deliver: (subscription, message) => take(subscription, message, message.headers()),
      deliverTraced: (subscription, message, _publisher, _shared, trace) => {
        trace.serviceImported(this.#importer.name, message.subject(), reply)
        // An answer is not traced beyond its account.
        return !trace.isOnly && take(subscription, message, withoutTrace(message.headers()))
      },
    }
    const take = (
      subscription: Subscription,
      message: PublishedMessage,
      headers: Buffer | null,
    ): boolean => {
      if (!this.#answersOften) this.#forget(subscription)
      const { publisher } = this.#importer
      // What a consumer sends keeps the subject that it was stored with.
      const subject = message.target === '' ? reply : message.subject()
      const itsReply = message.replyBytes()
      const payload = message.payload()
      return publisher.publishTo(reply, subject, itsReply, headers, payload) !== 'nobody'
    }
    const subject = `_R_.${(++nextReply).toString(36)}.${this.#exporter.newToken()}`
    const subscription = new Subscription(answering, subject, '', '')
    this.#expected.add(subscription)
    this.#exporter.router.insert(subject, '', subscription)
    return subscription
  }

  #forget(subscription: Subscription): void {
    if (!this.#expected.delete(subscription)) return
    subscription.isEnded = true
    this.#exporter.router.remove(subscription.subject, '', subscription)
  }
}

function withRequestInfo(headers: Buffer | null, account: string): Buffer {
  const line = `${REQUEST_INFO}: ${JSON.stringify({ acc: account })}\r\n\r\n`
  const before = headers === null ? VERSION_LINE : headers.toString('latin1').slice(0, -2)
  return Buffer.from(before + line, 'latin1')
}
