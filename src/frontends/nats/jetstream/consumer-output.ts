import type { ConsumerAdvisory } from '../../../broker/jetstream/consumer/consumer-advisory.ts'
import type {
  ConsumerOutput,
  OutgoingMessage,
} from '../../../broker/jetstream/consumer/consumer-ports.ts'
import type { Status } from '../../../broker/jetstream/consumer/status.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Random } from '../../../ports/random.ts'
import type { TextBytes } from '../../../wire/nats/published-message.ts'
import type { ServerPublisher } from '../server-publisher.ts'
import { AckSubjectWriter } from './ack-subject-writer.ts'
import { byteJson } from './byte-json.ts'
import { consumerAdvisory } from './consumer-advisory-json.ts'
import { statusHeaders, withHeader } from './status-messages.ts'

const NO_PAYLOAD = Buffer.alloc(0)

/** Sends what consumers have for clients. */
export class NatsConsumerOutput implements ConsumerOutput {
  readonly #publisher: ServerPublisher
  readonly #clock: Clock
  readonly #random: Random
  readonly #domain: string
  /** Of the message whose size was asked last, which is before it is sent. */
  #lastOutgoing: OutgoingMessage | null = null
  readonly #reply = new AckSubjectWriter()

  /** @param domain of the server; empty: none */
  constructor(publisher: ServerPublisher, clock: Clock, random: Random, domain: string) {
    this.#publisher = publisher
    this.#clock = clock
    this.#random = random
    this.#domain = domain
  }

  sizeOf(outgoing: OutgoingMessage): number {
    const { subject } = outgoing.message
    const { headers, payload } = contentOf(outgoing)
    return (
      subject.length +
      this.#replyOf(outgoing).length +
      (headers?.byteLength ?? 0) +
      payload.byteLength
    )
  }

  message(to: string, outgoing: OutgoingMessage): boolean {
    const { subject } = outgoing.message
    const { headers, payload } = contentOf(outgoing)
    const sent = this.#publisher.publishTo(to, subject, this.#replyOf(outgoing), headers, payload)
    return sent === 'behind'
  }

  status(to: string, status: Status): void {
    this.#publisher.publish(to, status.reply ?? null, statusHeaders(status), NO_PAYLOAD)
  }

  hasInterest(subject: string): boolean {
    return this.#publisher.hasInterest(subject)
  }

  watchInterest(subject: string, changed: () => void): { stop(): void } {
    return this.#publisher.watchInterest(subject, changed)
  }

  advisory(advisory: ConsumerAdvisory): void {
    const { subject, json } = consumerAdvisory(advisory, this.#random.uuid(), this.#clock.nowMs())
    const domain = this.#domain
    const whole = domain === '' ? json : { ...json, domain }
    this.#publisher.publish(subject, null, null, byteJson(whole))
  }

  #replyOf(outgoing: OutgoingMessage): TextBytes {
    if (outgoing === this.#lastOutgoing) return this.#reply
    this.#lastOutgoing = outgoing
    const { stream, consumer, message, deliveryCount, consumerSequence, pendingCount } = outgoing
    const { sequence: streamSequence, timestampMs } = message
    const facts = { deliveries: deliveryCount, streamSequence, consumerSequence }
    this.#reply.write(stream, consumer, facts, timestampMs, pendingCount)
    return this.#reply
  }
}

/** Headers and payload as the client gets them. */
function contentOf({ message, isHeadersOnly, pinId }: OutgoingMessage): {
  headers: Buffer | null
  payload: Buffer
} {
  let { headers, payload } = message
  if (isHeadersOnly) {
    headers = withHeader(headers, 'Nats-Msg-Size', payload.byteLength)
    payload = NO_PAYLOAD
  }
  if (pinId !== '') headers = withHeader(headers, 'Nats-Pin-Id', pinId)
  return { headers: headers?.byteLength === 0 ? null : headers, payload }
}
