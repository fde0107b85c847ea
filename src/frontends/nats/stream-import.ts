import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import type { Account } from './account.ts'
import { mapSubject } from './subject-mapping.ts'
import type { Subscriber, Subscription } from './subscription.ts'

/** Listens in the account that exports a stream, for the one that imports it. */
export class StreamImport implements Subscriber {
  readonly #importer: Account
  readonly #subject: string
  readonly #localSubject: string

  constructor(importer: Account, subject: string, localSubject: string) {
    this.#importer = importer
    this.#subject = subject
    this.#localSubject = localSubject
  }

  deliver(_subscription: Subscription, message: PublishedMessage): boolean {
    const own = message.subject()
    const to = mapSubject(message.target || own, this.#subject, this.#localSubject)
    // What a consumer sends keeps the subject that it was stored with.
    const subject = message.target === '' ? to : own
    const reply = message.hasReply ? message.reply() : ''
    const { publisher } = this.#importer
    const headers = message.headers()
    return publisher.publishTo(to, subject, reply, headers, message.payload()) !== 'nobody'
  }
}
