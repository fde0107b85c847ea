import { Consumer } from '../../../broker/jetstream/consumer/consumer.ts'
import type { ConsumerConfig } from '../../../broker/jetstream/consumer/consumer-config.ts'
import type { ConsumerRefusal } from '../../../broker/jetstream/consumer/consumer-refusal.ts'
import {
  ConsumerRefusals,
  invalidReset,
} from '../../../broker/jetstream/consumer/consumer-refusal.ts'
import { isGroupName } from '../../../broker/jetstream/consumer/consumer-validation.ts'
import type { StreamConsumers } from '../../../broker/jetstream/consumer/stream-consumers.ts'
import { millisecondsOf } from '../../../broker/jetstream/rfc3339.ts'
import type { Clock } from '../../../ports/clock.ts'
import { parseByteJson } from './byte-json.ts'
import { type ParsedCreateRequest, parseCreateRequest } from './consumer-config-json.ts'
import { consumerInfoJson, NO_TIME } from './consumer-info-json.ts'
import { isEmptyRequest } from './request-body.ts'
import { utcText } from './utc-text.ts'

type Json = Readonly<Record<string, unknown>>
type Answer = Json | ConsumerRefusal | Promise<Json | ConsumerRefusal>

/** Where the consumers of streams are. */
export interface ConsumerLookup {
  /** undefined: there is no such stream */
  consumersOf(stream: string): StreamConsumers | undefined
}

/** A request, with the tokens of its subject behind `$JS.API.CONSUMER.`. */
export interface ConsumerRequest {
  readonly tokens: readonly string[]
  readonly body: Buffer
  /** It needs a level of the API that is not served. */
  readonly isTooNew: boolean
}

/** @property type what comes behind `io.nats.jetstream.api.v1.` */
export interface ConsumerAnswer {
  readonly type: string
  readonly body: Json
}

/** Source: JSApiNamesLimit and JSApiListLimit of nats-server. */
const MAX_NAMES = 1024
const MAX_INFOS = 256
const NANOSECONDS_A_MS = 1_000_000

const TOO_NEW = refusal(412, 10185, 'JetStream minimum api level required')
const STREAM_NOT_FOUND = refusal(404, 10059, 'stream not found')
const STREAM_MISMATCH = refusal(400, 10056, 'stream name in subject does not match request')
const NOT_EMPTY = refusal(400, 10038, 'expected an empty request payload')
const NO_REPLICAS = refusal(500, 10074, 'replicas > 1 not supported in non-clustered mode')

/** The requests about consumers. Source: jetstream_api.go of nats-server. */
export class ConsumerRequests {
  readonly #directory: ConsumerLookup
  readonly #clock: Clock
  readonly #serverMetadata: Readonly<Record<string, string>>

  /** @param serverMetadata what is shown with each consumer of the server's version */
  constructor(
    directory: ConsumerLookup,
    clock: Clock,
    serverMetadata: Readonly<Record<string, string>>,
  ) {
    this.#directory = directory
    this.#clock = clock
    this.#serverMetadata = serverMetadata
  }

  /** @returns the answer, or null for a request that nobody knows */
  async handle(request: ConsumerRequest): Promise<ConsumerAnswer | null> {
    const [verb = ''] = request.tokens
    const operation = this.#operations[verb]
    if (operation === undefined) return null
    const [name, answer] = operation
    const type = `consumer_${name}_response`
    const answered = request.isTooNew ? TOO_NEW : await answer(request)
    return { type, body: isRefusal(answered) ? { error: answered } : answered }
  }

  readonly #operations: Readonly<
    Record<string, readonly [string, (request: ConsumerRequest) => Answer]>
  > = {
    CREATE: ['create', (request) => this.#create(request)],
    DURABLE: ['create', (request) => this.#createDurable(request)],
    NAMES: ['names', (request) => this.#names(request)],
    LIST: ['list', (request) => this.#list(request)],
    INFO: ['info', (request) => this.#info(request)],
    DELETE: ['delete', (request) => this.#delete(request)],
    PAUSE: ['pause', (request) => this.#pause(request)],
    UNPIN: ['unpin', (request) => this.#unpin(request)],
    RESET: ['reset', (request) => this.#reset(request)],
  }

  /** `CREATE.<stream>[.<consumer>[.<filter>]]`; without a name an old client wants an ephemeral one. */
  #create({ tokens, body }: ConsumerRequest): Answer {
    const request = parseCreateRequest(body)
    if (typeof request === 'string') return invalidJson(request)
    const [, stream = '', name, ...filter] = tokens
    if (stream !== request.streamName) return STREAM_MISMATCH
    const { config } = request
    if (name === undefined) {
      if ((config.durable_name ?? '') !== '') {
        return refusal(
          400,
          10020,
          'consumer expected to be ephemeral but a durable name was set in request',
        )
      }
      return this.#createOn(stream, request, config)
    }
    const refused = checkSubjectNames(name, filter.join('.'), config)
    return refused ?? this.#createOn(stream, request, { ...config, name })
  }

  /** `DURABLE.CREATE.<stream>.<consumer>` */
  #createDurable({ tokens, body }: ConsumerRequest): Answer {
    const request = parseCreateRequest(body)
    if (typeof request === 'string') return invalidJson(request)
    const [, , stream = '', name = ''] = tokens
    if (tokens.length !== 4) {
      return refusal(
        400,
        10016,
        'consumer expected to be durable but no durable name set in subject',
      )
    }
    if (stream !== request.streamName) return STREAM_MISMATCH
    const { durable_name: durable = '' } = request.config
    if (hasPathSeparator(name)) return PATH_SEPARATORS
    if (durable === '') {
      return refusal(400, 10018, 'consumer expected to be durable but a durable name was not set')
    }
    if (durable !== name) return NAME_MISMATCH
    return this.#createOn(stream, request, { ...request.config, name })
  }

  async #createOn(
    stream: string,
    { action, isPedantic }: ParsedCreateRequest,
    config: ConsumerConfig,
  ): Promise<Json | ConsumerRefusal> {
    if (config.num_replicas > 1) return NO_REPLICAS
    const consumers = this.#directory.consumersOf(stream)
    if (consumers === undefined) return STREAM_NOT_FOUND
    const request = { config, action, isPedantic }
    const created = await consumers.create(request)
    return created instanceof Consumer ? this.#infoOf(created) : created
  }

  #names({ tokens, body }: ConsumerRequest): Answer {
    const found = this.#page(tokens, body, MAX_NAMES)
    if (!Array.isArray(found)) return found as ConsumerRefusal
    const [consumers, page] = found as [readonly Consumer[], Json]
    return { ...page, consumers: consumers.map(({ name }) => name) }
  }

  #list({ tokens, body }: ConsumerRequest): Answer {
    const found = this.#page(tokens, body, MAX_INFOS)
    if (!Array.isArray(found)) return found as ConsumerRefusal
    const [consumers, page] = found as [readonly Consumer[], Json]
    return { ...page, consumers: consumers.map((consumer) => this.#listed(consumer)) }
  }

  #page(
    [, stream = '']: readonly string[],
    body: Buffer,
    limit: number,
  ): [readonly Consumer[], Json] | ConsumerRefusal {
    const fields = fieldsOf(body)
    if (typeof fields === 'string') return invalidJson(fields)
    const consumers = this.#directory.consumersOf(stream)
    if (consumers === undefined) return STREAM_NOT_FOUND
    const all = consumers.all()
    const { offset: wanted = 0 } = fields
    const offset = typeof wanted === 'number' && wanted > 0 ? Math.min(wanted, all.length) : 0
    return [all.slice(offset, offset + limit), { total: all.length, offset, limit }]
  }

  #info({ tokens, body }: ConsumerRequest): Answer {
    if (!isEmptyRequest(body)) return NOT_EMPTY
    const consumer = this.#find(tokens)
    return consumer instanceof Consumer ? this.#infoOf(consumer) : consumer
  }

  async #delete({ tokens, body }: ConsumerRequest): Promise<Json | ConsumerRefusal> {
    if (!isEmptyRequest(body)) return NOT_EMPTY
    const [, stream = '', name = ''] = tokens
    const consumers = this.#directory.consumersOf(stream)
    if (consumers === undefined) return STREAM_NOT_FOUND
    return (await consumers.remove(name)) ?? { success: true }
  }

  async #pause({ tokens, body }: ConsumerRequest): Promise<Json | ConsumerRefusal> {
    const fields = fieldsOf(body)
    if (typeof fields === 'string') return invalidJson(fields)
    const { pause_until: until = NO_TIME } = fields
    const untilMs = typeof until === 'string' ? millisecondsOf(until) : null
    if (untilMs === null) return invalidJson('pause_until must be a time of RFC 3339')
    const found = this.#find(tokens)
    if (!(found instanceof Consumer)) return found
    const [, stream = '', name = ''] = tokens
    const text = until === NO_TIME ? undefined : (utcText(String(until)) ?? undefined)
    const paused = await this.#directory.consumersOf(stream)?.pause(name, text)
    if (!(paused instanceof Consumer)) return paused ?? STREAM_NOT_FOUND
    const leftMs = untilMs - this.#clock.nowMs()
    const isPaused = leftMs > 0
    return {
      paused: isPaused,
      pause_until: text ?? NO_TIME,
      ...(isPaused ? { pause_remaining: Math.round(leftMs * NANOSECONDS_A_MS) } : {}),
    }
  }

  #unpin({ tokens, body }: ConsumerRequest): Answer {
    const fields = fieldsOf(body)
    if (typeof fields === 'string') return invalidJson(fields)
    const { group = '' } = fields
    if (typeof group !== 'string' || group === '')
      return invalidJson('consumer group not specified')
    if (!isGroupName(group)) return ConsumerRefusals.invalidGroup
    const consumer = this.#find(tokens)
    if (!(consumer instanceof Consumer)) return consumer
    if (!consumer.config.priority_groups?.includes(group)) return ConsumerRefusals.unknownGroup
    consumer.unpin(group, 'admin')
    return {}
  }

  async #reset({ tokens, body }: ConsumerRequest): Promise<Json | ConsumerRefusal> {
    const fields = fieldsOf(body)
    if (typeof fields === 'string') return invalidJson(fields)
    const { seq = 0 } = fields
    if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) {
      return invalidJson('seq must be a sequence')
    }
    const [, stream = '', name = ''] = tokens
    const consumers = this.#directory.consumersOf(stream)
    if (consumers === undefined) return STREAM_NOT_FOUND
    const start = await consumers.reset(name, seq)
    if (typeof start === 'string') return invalidReset(start)
    const consumer = consumers.get(name)
    if (consumer === undefined || start === null) return ConsumerRefusals.consumerNotFound
    return { ...this.#infoOf(consumer), reset_seq: start }
  }

  #find([, stream = '', name = '']: readonly string[]): Consumer | ConsumerRefusal {
    const consumers = this.#directory.consumersOf(stream)
    if (consumers === undefined) return STREAM_NOT_FOUND
    return consumers.get(name) ?? ConsumerRefusals.consumerNotFound
  }

  /** In a list the facts about the server are left out, as in nats-server. */
  #listed(consumer: Consumer): Json {
    return consumerInfoJson(consumer.info(), this.#clock.nowMs(), {})
  }

  #infoOf(consumer: Consumer): Json {
    return consumerInfoJson(consumer.info(), this.#clock.nowMs(), this.#serverMetadata)
  }
}

const PATH_SEPARATORS = refusal(400, 10127, 'Consumer name can not contain path separators')
const NAME_MISMATCH = refusal(
  400,
  10017,
  'consumer name in subject does not match durable name in request',
)

function checkSubjectNames(
  name: string,
  filter: string,
  config: ConsumerConfig,
): ConsumerRefusal | null {
  const { durable_name: durable = '', filter_subject = '', filter_subjects = [] } = config
  if (hasPathSeparator(name)) return PATH_SEPARATORS
  if (durable !== '' && durable !== name) return NAME_MISMATCH
  if (filter === '') return null
  if (filter_subjects.length > 0) {
    return refusal(
      400,
      10137,
      'consumer with multiple subject filters cannot use subject based API',
    )
  }
  if (filter === filter_subject) return null
  const text = 'Consumer create request did not match filtered subject from create subject'
  return refusal(400, 10131, text)
}

function hasPathSeparator(name: string): boolean {
  return /[\\/]/.test(name)
}

function fieldsOf(body: Buffer): Json | string {
  if (isEmptyRequest(body)) return {}
  try {
    const fields: unknown = parseByteJson(body)
    const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields)
    return isObject ? (fields as Json) : 'the request must be an object'
  } catch (error) {
    return (error as Error).message
  }
}

function isRefusal(answer: Json | ConsumerRefusal): answer is ConsumerRefusal {
  return 'err_code' in answer
}

function invalidJson(reason: string): ConsumerRefusal {
  return refusal(400, 10025, `invalid JSON: ${reason}`)
}

function refusal(code: number, err_code: number, description: string): ConsumerRefusal {
  return { code, err_code, description }
}
