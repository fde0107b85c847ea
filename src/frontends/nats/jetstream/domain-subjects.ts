import type { PublishedMessage } from '../../../wire/nats/published-message.ts'
import type { Account } from '../account.ts'
import { mapSubject } from '../subject-mapping.ts'
import { type SharedTail, type Subscriber, Subscription } from '../subscription.ts'
import type { MessageTrace } from '../tracing/message-trace.ts'

/** What is behind the prefix of a domain, and where it leads. Source: generateJSMappingTable of nats-server. */
const MAPPINGS: readonly (readonly [string, string])[] = [
  ['INFO', '$JS.API.INFO'],
  ...['STREAM', 'CONSUMER', 'DIRECT', 'META', 'SERVER', 'ACCOUNT'].map(
    (group) => [`${group}.>`, `$JS.API.${group}.>`] as const,
  ),
  ['$KV.>', '$KV.>'],
  ['$OBJ.>', '$OBJ.>'],
]

/** Clients that name the domain of the server reach what those reach that name none. */
export class DomainSubjects implements Subscriber {
  readonly #account: Account
  readonly #targets = new Map<Subscription, string>()

  constructor(account: Account, domain: string) {
    this.#account = account
    for (const [suffix, target] of MAPPINGS) {
      const subject = `$JS.${domain}.API.${suffix}`
      const subscription = new Subscription(this, subject, '', '')
      this.#targets.set(subscription, target)
      account.router.insert(subject, '', subscription)
    }
  }

  deliver(subscription: Subscription, message: PublishedMessage): boolean {
    const subject = this.#mapped(subscription, message)
    if (subject === null) return false
    const reply = message.hasReply ? message.reply() : null
    const { publisher } = this.#account
    return publisher.publish(subject, reply, message.headers(), message.payload())
  }

  deliverTraced(
    subscription: Subscription,
    message: PublishedMessage,
    _publisher: Subscriber,
    _shared: SharedTail,
    trace: MessageTrace,
  ): boolean {
    const subject = this.#mapped(subscription, message)
    if (subject === null) return false
    trace.mapped(subject)
    const { publisher } = this.#account
    const reply = message.replyBytes()
    const headers = message.headers()
    const payload = message.payload()
    return publisher.publishTraced({ to: subject, subject, reply, headers, payload, trace })
  }

  #mapped(subscription: Subscription, message: PublishedMessage): string | null {
    const target = this.#targets.get(subscription)
    if (target === undefined) return null
    return mapSubject(message.subject(), subscription.subject, target)
  }

  stop(): void {
    for (const subscription of this.#targets.keys()) {
      subscription.isEnded = true
      this.#account.router.remove(subscription.subject, '', subscription)
    }
    this.#targets.clear()
  }
}
