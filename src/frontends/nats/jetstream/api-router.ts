import type { Scheduler } from '../../../ports/scheduler.ts'
import type { PublishedMessage } from '../../../wire/nats/published-message.ts'
import type { ServerPublisher, SubjectSpace } from '../server-publisher.ts'
import { type SharedTail, type Subscriber, Subscription } from '../subscription.ts'
import type { MessageTrace } from '../tracing/message-trace.ts'
import { byteJson } from './byte-json.ts'

/** A message to the server itself, which it may keep. Texts have one character for each byte. */
export interface ApiRequest {
  readonly subject: string
  /** The tokens of the subject in the place of the wildcards; `>` is one text. */
  readonly tokens: readonly string[]
  /** Empty when nobody waits for an answer. */
  readonly reply: string
  /** The whole block. */
  readonly headers: Buffer | null
  readonly payload: Buffer
}

export type ApiHandler = (request: ApiRequest) => void

/** Messages of one kind in a row, which are handled together and need no object each. */
export interface Gathering {
  /** @returns false for a message that does not belong to these, or is of another form */
  add(message: PublishedMessage): boolean
  run(): void
}

interface Handler {
  readonly pattern: string[]
  readonly run: ApiHandler
  /** Begins to gather; null: each message is a request. */
  readonly gather: (() => Gathering) | null
}

/** Why a request is refused, in JetStream's own numbers and words. */
export interface ApiRefusal {
  /** As in HTTP. */
  readonly code: number
  readonly err_code: number
  readonly description: string
}

/** Requests that wait at one time; more are dropped, and their clients ask again. */
const MAX_WAITING = 65_536
const MAX_WAITING_BYTES = 64 * 1024 * 1024

/** What handlers answer with. Source: the types of JetStream's JSON API. */
const TYPE_PREFIX = 'io.nats.jetstream.api.v1.'

const API_PREFIX = '$JS.API.'
/** What each account answers itself. Source: jsRequestNextPre and jsDirectGetPre of nats-server. */
const OWN_PREFIXES = ['$JS.API.CONSUMER.MSG.NEXT.', '$JS.API.DIRECT.GET']
const NO_PAYLOAD = Buffer.alloc(0)

/**
 * Brings messages on certain subjects to handlers of the server. Handlers run at the end of the turn,
 * in the order of the messages, and may publish.
 */
export class ApiRouter implements Subscriber {
  readonly #space: SubjectSpace
  readonly #publisher: ServerPublisher
  readonly #scheduler: Scheduler
  /** Requests of the API that were answered, and those of them that were refused. */
  readonly counts = { requests: 0, errors: 0 }
  /** Says when a request of the API can be handled; null: at once. */
  before: ((request: ApiRequest, run: () => void) => void) | null = null
  readonly #handlers = new Map<string, Handler>()
  #waiting: (CapturedRequest | Gathering)[] = []
  #waitingCount = 0
  #waitingBytes = 0

  constructor(space: SubjectSpace, publisher: ServerPublisher, scheduler: Scheduler) {
    this.#space = space
    this.#publisher = publisher
    this.#scheduler = scheduler
  }

  /**
   * @param subject with wildcards or without; one handler for each
   * @param gather for messages that come in great numbers; `run` gets those that can't be gathered
   */
  on(subject: string, run: ApiHandler, gather: Handler['gather'] = null): { stop(): void } {
    this.#handlers.set(subject, { pattern: subject.split('.'), run, gather })
    const subscription = new Subscription(this, subject, '', '')
    this.#space.router.insert(subject, '', subscription)
    return {
      stop: () => {
        this.#handlers.delete(subject)
        this.#space.router.remove(subject, '', subscription)
      },
    }
  }

  deliver(subscription: Subscription, message: PublishedMessage): boolean {
    const handler = this.#handlers.get(subscription.subject)
    if (handler === undefined) return false
    const byteCount = message.bodyEnd - message.bodyStart
    const isFull =
      this.#waitingCount >= MAX_WAITING || this.#waitingBytes + byteCount > MAX_WAITING_BYTES
    if (isFull) return false
    if (this.#waitingCount === 0) this.#scheduler.endOfTurn(() => this.#handleAll())
    this.#waitingCount++
    this.#waitingBytes += byteCount
    if (handler.gather === null || !this.#gathered(handler.gather, message)) {
      this.#waiting.push(new CapturedRequest(handler, message))
    }
    return true
  }

  /** Only what comes in a row is gathered: the order of all messages stays what it was. */
  #gathered(gather: () => Gathering, message: PublishedMessage): boolean {
    const last = this.#waiting.at(-1)
    if (last !== undefined && !(last instanceof CapturedRequest) && last.add(message)) return true
    const gathering = gather()
    if (!gathering.add(message)) return false
    this.#waiting.push(gathering)
    return true
  }

  /** What is asked of JetStream is a service of the system's account, which does not let others trace. */
  deliverTraced(
    subscription: Subscription,
    message: PublishedMessage,
    _publisher: Subscriber,
    _shared: SharedTail,
    trace: MessageTrace,
  ): boolean {
    const subject = message.subject()
    const isService =
      subject.startsWith(API_PREFIX) && !OWN_PREFIXES.some((prefix) => subject.startsWith(prefix))
    if (isService) trace.serviceImported(trace.systemAccount, subject, subject)
    return !(isService && trace.isOnly) && this.deliver(subscription, message)
  }

  /**
   * @param type what comes behind `io.nats.jetstream.api.v1.`
   * @param encoding latin1 when texts have one character for each byte
   */
  answer(
    request: ApiRequest,
    type: string,
    body: object,
    encoding: 'utf8' | 'latin1' = 'utf8',
  ): void {
    if (request.subject.startsWith(API_PREFIX)) this.counts.requests++
    if ('error' in body) this.counts.errors++
    if (request.reply === '') return
    const json = { type: `${TYPE_PREFIX}${type}`, ...body }
    const bytes = encoding === 'latin1' ? byteJson(json) : Buffer.from(JSON.stringify(json))
    this.#publisher.publish(request.reply, null, null, bytes)
  }

  refuse(request: ApiRequest, type: string, refusal: ApiRefusal): void {
    const { code, err_code, description } = refusal
    this.answer(request, type, { error: { code, err_code, description } })
  }

  /** Answers with a header block only, as `NATS/1.0 404 …`. */
  answerStatus(request: ApiRequest, headers: Buffer): void {
    if (request.reply !== '') this.#publisher.publish(request.reply, null, headers, NO_PAYLOAD)
  }

  #handleAll(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingCount = 0
    this.#waitingBytes = 0
    for (const one of waiting) {
      if (!(one instanceof CapturedRequest)) one.run()
      else if (this.before === null || !one.subject.startsWith(API_PREFIX)) one.handle()
      else this.before(one, () => one.handle())
    }
  }
}

/** Its tokens are made when somebody asks. */
class CapturedRequest implements ApiRequest {
  readonly subject: string
  readonly reply: string
  readonly headers: Buffer | null
  readonly payload: Buffer
  readonly #handler: Handler

  constructor(handler: Handler, message: PublishedMessage) {
    const { bytes, hasHeaders, bodyStart, bodyEnd } = message
    const headerEnd = bodyStart + (hasHeaders ? message.headerByteCount : 0)
    this.#handler = handler
    this.subject = message.subject()
    this.reply = message.reply()
    this.headers = hasHeaders ? Buffer.from(bytes.subarray(bodyStart, headerEnd)) : null
    this.payload =
      bodyEnd === headerEnd ? NO_PAYLOAD : Buffer.from(bytes.subarray(headerEnd, bodyEnd))
  }

  handle(): void {
    this.#handler.run(this)
  }

  get tokens(): string[] {
    const parts = this.subject.split('.')
    const tokens: string[] = []
    for (const [index, token] of this.#handler.pattern.entries()) {
      if (token === '*') tokens.push(parts[index] ?? '')
      else if (token === '>') tokens.push(parts.slice(index).join('.'))
    }
    return tokens
  }
}
