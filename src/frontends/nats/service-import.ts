import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import type { Account } from './account.ts'
import { mapSubject } from './subject-mapping.ts'
import { type Subscriber, Subscription } from './subscription.ts'

/** Requests under way through one import; the oldest is forgotten first. */
const MAX_EXPECTED = 65_536

/** Who asked, for the one who answers. Source: ClientInfoHdr of nats-server. */
const REQUEST_INFO = 'Nats-Request-Info'
const VERSION_LINE = 'NATS/1.0\r\n'

let nextReply = 0

/** Listens in the account that imports a service, and asks in the one that exports it. */
export class ServiceImport implements Subscriber {
  readonly #importer: Account
  readonly #exporter: Account
  readonly #subjects: { readonly local: string; readonly exported: string }
  readonly #answersOften: boolean
  readonly #expected = new Set<Subscription>()

  /** @param answersOften there is more than one answer to a request */
  constructor(
    importer: Account,
    exporter: Account,
    subjects: { readonly local: string; readonly exported: string },
    answersOften: boolean,
  ) {
    this.#importer = importer
    this.#exporter = exporter
    this.#subjects = subjects
    this.#answersOften = answersOften
  }

  deliver(_subscription: Subscription, message: PublishedMessage): boolean {
    const { local, exported } = this.#subjects
    const subject = mapSubject(message.subject(), local, exported)
    const answer = message.hasReply ? this.#expectAnswer(message.reply()) : null
    const { publisher } = this.#exporter
    const headers = withRequestInfo(message.headers(), this.#importer.name)
    const reply = answer?.subject ?? null
    const isTaken = publisher.publish(subject, reply, headers, message.payload())
    if (!isTaken && answer !== null) this.#forget(answer)
    return isTaken
  }

  #expectAnswer(reply: string): Subscription {
    if (this.#expected.size >= MAX_EXPECTED) {
      const [oldest] = this.#expected
      if (oldest !== undefined) this.#forget(oldest)
    }
    const answering: Subscriber = {
      deliver: (subscription, message) => {
        if (!this.#answersOften) this.#forget(subscription)
        const { publisher } = this.#importer
        const headers = message.headers()
        // What a consumer sends keeps the subject that it was stored with.
        const subject = message.target === '' ? reply : message.subject()
        const itsReply = message.replyBytes()
        const payload = message.payload()
        return publisher.publishTo(reply, subject, itsReply, headers, payload) !== 'nobody'
      },
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
