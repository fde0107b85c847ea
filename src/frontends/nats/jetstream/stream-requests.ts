import type { Stream } from '../../../broker/jetstream/stream/stream.ts'
import {
  invalidJson,
  purgeFailed,
  type StreamRefusal,
  StreamRefusals,
} from '../../../broker/jetstream/stream/stream-refusal.ts'
import type { Streams } from '../../../broker/jetstream/stream/streams.ts'
import { SubjectFilter } from '../../../broker/jetstream/stream/subject-filter.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Logger } from '../../../ports/logger.ts'
import { type AccountLimits, IN_TIERS, TIER } from '../auth/account-limits.ts'
import type { ApiCounts } from '../monitor/jetstream-pages.ts'
import type { ApiRequest, ApiRouter } from './api-router.ts'
import { parseByteJson } from './byte-json.ts'
import type { JetStreamSettings } from './jetstream-settings.ts'
import { type JetStreamUsage, jetStreamUsage } from './jetstream-usage.ts'
import { type Fields, fieldsOf, isEmptyRequest, isRefusal, isTooNew } from './request-body.ts'
import type { ServerResources } from './server-resources.ts'
import { admissionRefusal, nameRefusal, withDuplicateWindow } from './stream-admission.ts'
import { type ParsedStream, parseStream } from './stream-config-json.ts'
import { NO_DETAILS, type StreamDetails, streamInfoJson } from './stream-info-json.ts'

type Answer = Fields | StreamRefusal

export interface StreamRequestsPorts {
  readonly router: ApiRouter
  readonly streams: Streams
  readonly clock: Clock
  readonly logger: Logger
  /** Shown with each stream: the version of the server. */
  readonly serverMetadata: Readonly<Record<string, string>>
  readonly apiLevel: number
  readonly limits: AccountLimits
  readonly hasTiers: boolean
  readonly settings: JetStreamSettings
  readonly resources: ServerResources
  consumerCount(stream: string): number
}

/** Source: JSApiNamesLimit and JSApiListLimit of nats-server. */
const MAX_NAMES = 1024
const MAX_INFOS = 256

/** An object of JSON that a request has, or none; texts of clients may be anything else, which is not read. */
const JSON_START = /^\s*[[{]/

/** The requests about streams. Source: jetstream_api.go of nats-server. */
export class StreamRequests {
  readonly #ports: StreamRequestsPorts

  constructor(ports: StreamRequestsPorts) {
    this.#ports = ports
    const { resources } = ports
    this.#on('INFO', 'account_info', () => this.#accountInfo())
    this.#on('STREAM.CREATE.*', 'stream_create', (request) =>
      resources.inTurn(() => this.#create(request)),
    )
    this.#on('STREAM.UPDATE.*', 'stream_update', (request) =>
      resources.inTurn(() => this.#update(request)),
    )
    this.#on('STREAM.NAMES', 'stream_names', (request) => this.#names(request))
    this.#on('STREAM.LIST', 'stream_list', (request) => this.#list(request))
    this.#on('STREAM.INFO.*', 'stream_info', (request) => this.#info(request))
    this.#on('STREAM.DELETE.*', 'stream_delete', (request) => this.#delete(request))
    this.#on('STREAM.PURGE.*', 'stream_purge', (request) => this.#purge(request))
  }

  /** @param name of the type of its answer */
  #on(
    subject: string,
    name: string,
    answer: (request: ApiRequest) => Answer | Promise<Answer>,
  ): void {
    const { router, logger } = this.#ports
    const type = `${name}_response`
    router.on(`$JS.API.${subject}`, (request) => {
      this.#answered(request, answer).then(
        (body) => {
          if (isRefusal(body)) router.refuse(request, type, body)
          else router.answer(request, type, body, 'latin1')
        },
        (error: unknown) => logger.error('a request failed', { subject: request.subject, error }),
      )
    })
  }

  async #answered(
    request: ApiRequest,
    answer: (request: ApiRequest) => Answer | Promise<Answer>,
  ): Promise<Answer> {
    return isTooNew(request, this.#ports.apiLevel) ? StreamRefusals.apiLevel : answer(request)
  }

  /** Requests that were answered, as the server shows them. */
  get apiCounts(): ApiCounts {
    const { router, apiLevel } = this.#ports
    return { level: apiLevel, total: router.counts.requests, errors: router.counts.errors }
  }

  get usage(): JetStreamUsage {
    const { streams, consumerCount } = this.#ports
    return jetStreamUsage(streams.all(), consumerCount)
  }

  #accountInfo(): Answer {
    const { stats, streams, consumers } = this.usage
    const { limits, hasTiers } = this.#ports
    const used = { ...stats, streams, consumers }
    return {
      ...used,
      limits: hasTiers ? IN_TIERS : limits,
      ...this.#domain,
      api: this.apiCounts,
      ...(hasTiers && { tiers: { [TIER]: { ...used, limits } } }),
    }
  }

  async #create(request: ApiRequest): Promise<Answer> {
    const parsed = this.#parsedFor(request)
    if (isRefusal(parsed)) return parsed
    const created = await this.#ports.streams.create(parsed.wanted, parsed.isPedantic)
    return 'err_code' in created ? created : { ...this.#json(created), did_create: true }
  }

  async #update(request: ApiRequest): Promise<Answer> {
    const parsed = this.#parsedFor(request)
    if (isRefusal(parsed)) return parsed
    const updated = await this.#ports.streams.update(parsed.wanted, parsed.isPedantic)
    return 'err_code' in updated ? updated : this.#infoJson(updated)
  }

  #names({ payload }: ApiRequest): Answer {
    const paging = pagingOf(payload)
    if (isRefusal(paging)) return paging
    const all = this.#ports.streams.all(paging.subject)
    const offset = Math.min(paging.offset, all.length)
    const names = all.slice(offset, offset + MAX_NAMES).map(({ name }) => name)
    const shown = names.length === 0 ? null : names
    return { total: all.length, offset, limit: MAX_NAMES, streams: shown }
  }

  #list({ payload }: ApiRequest): Answer {
    const paging = pagingOf(payload)
    if (isRefusal(paging)) return paging
    const all = this.#ports.streams.all(paging.subject)
    const offset = Math.min(paging.offset, all.length)
    const streams = all.slice(offset, offset + MAX_INFOS).map((stream) => this.#infoJson(stream))
    return { total: all.length, offset, limit: MAX_INFOS, streams }
  }

  #info({ tokens: [name = ''], payload }: ApiRequest): Answer {
    const body = bodyOf(payload)
    if (isRefusal(body)) return body
    const stream = this.#ports.streams.get(name)
    if (stream === undefined) return StreamRefusals.notFound
    const { deleted_details: hasDeleted, subjects_filter: filter, offset } = body
    return this.#infoJson(stream, {
      hasDeleted: hasDeleted === true,
      subjectsFilter: typeof filter === 'string' ? filter : '',
      offset: countOf(offset),
    })
  }

  async #delete({ tokens: [name = ''], payload }: ApiRequest): Promise<Answer> {
    if (!isEmptyRequest(payload)) return StreamRefusals.notEmptyRequest
    const refusal = await this.#ports.streams.remove(name)
    return refusal ?? { success: true }
  }

  async #purge({ tokens: [name = ''], payload }: ApiRequest): Promise<Answer> {
    const body = bodyOf(payload)
    if (isRefusal(body)) return body
    const { filter, seq, keep } = body
    const sequence = countOf(seq)
    const keepCount = countOf(keep)
    if (sequence > 0 && keepCount > 0) return StreamRefusals.badRequest
    const stream = this.#ports.streams.get(name)
    if (stream === undefined) return StreamRefusals.notFound
    if (stream.config.sealed) return StreamRefusals.sealed
    if (stream.config.deny_purge) return purgeFailed('stream purge not permitted')
    const before = sequence > 0 ? sequence : Number.POSITIVE_INFINITY
    const subjects = typeof filter === 'string' && filter !== '' ? [filter] : []
    return new Promise((resolve) => {
      stream.purge(new SubjectFilter(subjects), before, keepCount, (purged, isKept) =>
        resolve(isKept ? { success: true, purged } : purgeFailed('the purge could not be stored')),
      )
    })
  }

  #parsedFor({ payload, tokens: [name = ''] }: ApiRequest): ParsedStream | StreamRefusal {
    let parsed: ParsedStream | string
    try {
      parsed = parseStream(parseByteJson(payload))
    } catch {
      return invalidJson('unexpected end of JSON input')
    }
    if (typeof parsed === 'string') return invalidJson(parsed)
    const { streams, limits, settings, resources } = this.#ports
    const present = streams.all().map(({ config }) => config)
    return (
      nameRefusal(parsed.wanted, name) ??
      admissionRefusal(parsed.wanted, present, limits, resources) ??
      withDuplicateWindow(parsed, settings.maxDuplicateWindow)
    )
  }

  /** The domain is not in the answer to who made the stream, as in nats-server. */
  #infoJson(stream: Stream, details: StreamDetails = NO_DETAILS): Fields {
    return { ...this.#json(stream, details), ...this.#domain }
  }

  get #domain(): { domain?: string } {
    const { domain } = this.#ports.settings
    return domain === '' ? {} : { domain }
  }

  #json(stream: Stream, details: StreamDetails = NO_DETAILS): Fields {
    const { clock, serverMetadata, consumerCount } = this.#ports
    const count = consumerCount(stream.name)
    return streamInfoJson(stream, details, count, clock.nowMs(), serverMetadata)
  }
}

/** The fields of a request; none when there is no JSON. */
function bodyOf(payload: Buffer): Fields | StreamRefusal {
  return JSON_START.test(payload.toString('latin1', 0, 64)) ? fieldsOf(payload) : {}
}

function pagingOf(payload: Buffer): { offset: number; subject: string } | StreamRefusal {
  const body = bodyOf(payload)
  if (isRefusal(body)) return body
  const { offset, subject } = body
  return { offset: countOf(offset), subject: typeof subject === 'string' ? subject : '' }
}

/** A count that a client gave, 0 for anything else. */
function countOf(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0
}
