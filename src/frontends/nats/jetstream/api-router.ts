import type { Scheduler } from '../../../ports/scheduler.ts'
import type { PublishedMessage } from '../../../wire/nats/published-message.ts'
import type { ServerPublisher, SubjectSpace } from '../server-publisher.ts'
import { type Subscriber, Subscription } from '../subscription.ts'
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
  readonly #handlers = new Map<string, { readonly pattern: string[]; readonly run: ApiHandler }>()
  #waiting: { readonly run: ApiHandler; readonly request: ApiRequest }[] = []
  #waitingBytes = 0

  constructor(space: SubjectSpace, publisher: ServerPublisher, scheduler: Scheduler) {
    this.#space = space
    this.#publisher = publisher
    this.#scheduler = scheduler
  }

  /** @param subject with wildcards or without; one handler for each */
  on(subject: string, run: ApiHandler): { stop(): void } {
    this.#handlers.set(subject, { pattern: subject.split('.'), run })
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
      this.#waiting.length >= MAX_WAITING || this.#waitingBytes + byteCount > MAX_WAITING_BYTES
    if (isFull) return false
    if (this.#waiting.length === 0) this.#scheduler.endOfTurn(() => this.#handleAll())
    const request = new CapturedRequest(handler.pattern, message)
    this.#waiting.push({ run: handler.run, request })
    this.#waitingBytes += byteCount
    return true
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
    this.#waitingBytes = 0
    for (const { run, request } of waiting) {
      if (this.before === null || !request.subject.startsWith(API_PREFIX)) run(request)
      else this.before(request, () => run(request))
    }
  }
}

/** Its tokens are made when somebody asks: those who acknowledge messages read the subject. */
class CapturedRequest implements ApiRequest {
  readonly subject: string
  readonly reply: string
  readonly headers: Buffer | null
  readonly payload: Buffer
  readonly #pattern: readonly string[]

  constructor(pattern: readonly string[], message: PublishedMessage) {
    const { bytes, hasHeaders, bodyStart, bodyEnd } = message
    const headerEnd = bodyStart + (hasHeaders ? message.headerByteCount : 0)
    this.#pattern = pattern
    this.subject = message.subject()
    this.reply = message.reply()
    this.headers = hasHeaders ? Buffer.from(bytes.subarray(bodyStart, headerEnd)) : null
    this.payload =
      bodyEnd === headerEnd ? NO_PAYLOAD : Buffer.from(bytes.subarray(headerEnd, bodyEnd))
  }

  get tokens(): string[] {
    const parts = this.subject.split('.')
    const tokens: string[] = []
    for (const [index, token] of this.#pattern.entries()) {
      if (token === '*') tokens.push(parts[index] ?? '')
      else if (token === '>') tokens.push(parts.slice(index).join('.'))
    }
    return tokens
  }
}
