import type { Acknowledgement } from '../../../broker/jetstream/consumer/acknowledgement.ts'
import type { Consumer } from '../../../broker/jetstream/consumer/consumer.ts'
import { badRequest } from '../../../broker/jetstream/consumer/status.ts'
import type { Logger } from '../../../ports/logger.ts'
import type { ServerPublisher } from '../server-publisher.ts'
import { ACK_PREFIX, parseAckSubject } from './ack-subject.ts'
import { parseAckVerb } from './ack-verb.ts'
import type { ApiRequest, ApiRouter } from './api-router.ts'
import type { ConsumerLookup, ConsumerRequests } from './consumer-requests.ts'
import { GatheredAcks } from './gathered-acks.ts'
import { headerValue } from './header-value.ts'
import { parsePullOptions } from './pull-options.ts'
import { isTooNew } from './request-body.ts'
import { statusHeaders } from './status-messages.ts'

const API = '$JS.API.CONSUMER.'
const NO_PAYLOAD = Buffer.alloc(0)

/** Requests by what comes behind the prefix. */
const REQUESTS = [
  'CREATE.*',
  'CREATE.*.>',
  'DURABLE.CREATE.*.*',
  'NAMES.*',
  'LIST.*',
  'INFO.*.*',
  'DELETE.*.*',
  'PAUSE.*.*',
  'UNPIN.*.*',
  'RESET.*.*',
]

export interface ConsumerRouterPorts {
  readonly router: ApiRouter
  readonly publisher: ServerPublisher
  readonly requests: ConsumerRequests
  readonly directory: ConsumerLookup
  readonly logger: Logger
  /** The level of the API that is served. */
  readonly apiLevel: number
}

/** What clients send to consumers: requests, pulls, acks, and answers to flow control. */
export class ConsumerRouter {
  readonly #ports: ConsumerRouterPorts

  constructor(ports: ConsumerRouterPorts) {
    this.#ports = ports
    const { router } = ports
    for (const subject of REQUESTS) router.on(`${API}${subject}`, (request) => this.#api(request))
    router.on(`${API}MSG.NEXT.*.*`, (request) => this.#pull(request))
    router.on(
      `${ACK_PREFIX}>`,
      (request) => this.#acknowledge(request),
      () => new GatheredAcks((acks) => this.#acknowledgeAll(acks)),
    )
    router.on('$JS.FC.>', (request) => this.#flowAnswered(request))
  }

  #api(request: ApiRequest): void {
    const { requests, router, logger, apiLevel } = this.#ports
    const tokens = request.subject.slice(API.length).split('.')
    requests.handle({ tokens, body: request.payload, isTooNew: isTooNew(request, apiLevel) }).then(
      (answer) => {
        if (answer !== null) router.answer(request, answer.type, answer.body, 'latin1')
      },
      (error: unknown) => {
        logger.error('a request about a consumer failed', { subject: request.subject, error })
      },
    )
  }

  #pull(request: ApiRequest): void {
    const { subject, tokens, reply, payload } = request
    const [stream = '', name = ''] = tokens
    if (reply === '') return
    if (isTooNew(request, this.#ports.apiLevel)) {
      const headers = statusHeaders({ code: 412, description: 'Required Api Level' })
      this.#ports.publisher.publish(reply, null, headers, NO_PAYLOAD)
      return
    }
    const consumer = this.#find(stream, name)
    if (consumer !== undefined) this.#pullFrom(consumer, reply, payload.toString('utf8'))
    else this.#noConsumer(subject, reply)
  }

  #pullFrom(consumer: Consumer, reply: string, body: string): void {
    const options = parsePullOptions(body)
    if (typeof options !== 'string') consumer.pull(reply, options)
    else {
      const headers = statusHeaders(badRequest(options))
      this.#ports.publisher.publish(reply, null, headers, NO_PAYLOAD)
    }
  }

  /** Nobody listens there, as clients see it. Source: no responders of nats-server. */
  #noConsumer(subject: string, reply: string): void {
    const named = { 'Nats-Subject': subject }
    const headers = statusHeaders({ code: 503, description: '', headers: named })
    this.#ports.publisher.publish(reply, null, headers, NO_PAYLOAD)
  }

  #acknowledge({ subject, reply, payload }: ApiRequest): void {
    const place = parseAckSubject(subject)
    if (place === null) return
    const consumer = this.#find(place.stream, place.consumer)
    const verb = parseAckVerb(payload.toString('utf8'))
    // Who wants no acks does not listen for them.
    if (consumer === undefined || consumer.config.ack_policy === 'none') {
      if (reply !== '') this.#noConsumer(subject, reply)
      return
    }
    if (verb === null) return
    if (verb.kind === 'next') {
      consumer.acknowledge({ ...place, verb: { kind: 'ack' } }, null)
      if (reply !== '') this.#pullFrom(consumer, reply, verb.request)
      return
    }
    const { publisher } = this.#ports
    const done = reply === '' ? null : () => void publisher.publish(reply, null, null, NO_PAYLOAD)
    consumer.acknowledge({ ...place, verb }, done)
  }

  #acknowledgeAll({ stream, consumer, deliveries }: GatheredAcks): void {
    const found = this.#find(stream, consumer)
    // Who wants no acks does not listen for them, and nobody waits for an answer.
    if (found?.config.ack_policy !== 'none') found?.acknowledgeAll(deliveries)
  }

  #flowAnswered({ subject, headers }: ApiRequest): void {
    const [, , stream = '', name = ''] = subject.split('.')
    this.#find(stream, name)?.flowAnswered(subject, flowAck(headers))
  }

  #find(stream: string, name: string): Consumer | undefined {
    return this.#ports.directory.consumersOf(stream)?.get(name)
  }
}

/** What a client has that acknowledges with its answers to flow control. */
function flowAck(headers: Buffer | null): Acknowledgement | null {
  if (headers === null) return null
  const streamSequence = Number(headerValue(headers, 'Nats-Last-Stream') ?? 0)
  const consumerSequence = Number(headerValue(headers, 'Nats-Last-Consumer') ?? 0)
  if (!Number.isSafeInteger(streamSequence) || streamSequence <= 0) return null
  return { verb: { kind: 'ack' }, streamSequence, consumerSequence, deliveries: 1 }
}
