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
    const subject = mapSubject(message.subject(), this.#subject, this.#localSubject)
    const { publisher } = this.#importer
    return publisher.publish(subject, message.reply(), message.headers(), message.payload())
  }
}
