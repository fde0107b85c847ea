import type { PublishedMessage } from '../../../wire/nats/published-message.ts'
import type { Account } from '../account.ts'
import { mapSubject } from '../subject-mapping.ts'
import { type Subscriber, Subscription } from '../subscription.ts'

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
    const target = this.#targets.get(subscription)
    if (target === undefined) return false
    const subject = mapSubject(message.subject(), subscription.subject, target)
    const reply = message.hasReply ? message.reply() : null
    const { publisher } = this.#account
    return publisher.publish(subject, reply, message.headers(), message.payload())
  }

  stop(): void {
    for (const subscription of this.#targets.keys()) {
      subscription.isEnded = true
      this.#account.router.remove(subscription.subject, '', subscription)
    }
    this.#targets.clear()
  }
}
