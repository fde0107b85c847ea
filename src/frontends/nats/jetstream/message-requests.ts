import type { Stream } from '../../../broker/jetstream/stream/stream.ts'
import type { StoredMessage } from '../../../broker/jetstream/stream/stream-reader.ts'
import {
  invalidJson,
  messageDeleteFailed,
  type StreamRefusal,
  StreamRefusals,
  sequenceNotFound,
} from '../../../broker/jetstream/stream/stream-refusal.ts'
import type { Streams } from '../../../broker/jetstream/stream/streams.ts'
import { SubjectFilter } from '../../../broker/jetstream/stream/subject-filter.ts'
import type { ApiRequest, ApiRouter } from './api-router.ts'
import { parseByteJson } from './byte-json.ts'
import { isoTime } from './consumer-info-json.ts'
import { type MessageRequest, parseMessageRequest } from './message-request.ts'
import { isObject } from './stream-config-json.ts'

const GET = 'stream_msg_get_response'
const DELETE = 'stream_msg_delete_response'

/** Messages of streams by request: one is read, or deleted. Source: jetstream_api.go of nats-server. */
export class MessageRequests {
  readonly #router: ApiRouter
  readonly #streams: Streams

  constructor(router: ApiRouter, streams: Streams) {
    this.#router = router
    this.#streams = streams
    router.on('$JS.API.STREAM.MSG.GET.*', (request) => this.#get(request))
    router.on('$JS.API.STREAM.MSG.DELETE.*', (request) => this.#delete(request))
  }

  #get(request: ApiRequest): void {
    const refuse = (refusal: StreamRefusal): void => this.#router.refuse(request, GET, refusal)
    const body = bodyOf(request.payload)
    if (body === null) {
      refuse(StreamRefusals.badRequest)
      return
    }
    const wanted = body === INVALID ? null : parseMessageRequest(body)
    if (wanted === null) {
      refuse(invalidJson('the request can not be read'))
      return
    }
    if (!isOneMessage(wanted)) {
      refuse(StreamRefusals.badRequest)
      return
    }
    const stream = this.#streams.get(request.tokens[0] ?? '')
    if (stream === undefined) {
      refuse(StreamRefusals.notFound)
      return
    }
    const sequence = sequenceOf(stream, wanted)
    if (sequence === 0) {
      refuse(StreamRefusals.noMessageFound)
      return
    }
    stream.read([sequence], (error, [message = null]) => {
      if (error !== null || message === null) {
        refuse(StreamRefusals.noMessageFound)
        return
      }
      const json = { message: messageJson(message, wanted.hasNoHeaders) }
      this.#router.answer(request, GET, json, 'latin1')
    })
  }

  #delete(request: ApiRequest): void {
    const refuse = (refusal: StreamRefusal): void => this.#router.refuse(request, DELETE, refusal)
    const body = bodyOf(request.payload)
    if (body === null) {
      refuse(StreamRefusals.badRequest)
      return
    }
    if (!isObject(body)) {
      refuse(invalidJson('the request can not be read'))
      return
    }
    const sequence = Number(body['seq'] ?? 0)
    const stream = this.#streams.get(request.tokens[0] ?? '')
    if (stream === undefined) {
      refuse(StreamRefusals.notFound)
      return
    }
    if (stream.config.sealed) {
      refuse(StreamRefusals.sealed)
      return
    }
    if (stream.config.deny_delete) {
      refuse(messageDeleteFailed('message delete not permitted'))
      return
    }
    stream.removeMessage(sequence, (isRemoved, isKept) => {
      if (!isRemoved) refuse(sequenceNotFound(sequence))
      else if (!isKept) refuse(messageDeleteFailed('the removal could not be stored'))
      else this.#router.answer(request, DELETE, { success: true })
    })
  }
}

const INVALID = Symbol('JSON that can not be read')

/** null: the request is empty */
function bodyOf(payload: Buffer): unknown {
  const text = payload.toString('latin1').trim()
  if (text === '' || text === '{}') return null
  try {
    return parseByteJson(payload)
  } catch {
    return INVALID
  }
}

function isOneMessage(wanted: MessageRequest): boolean {
  const { sequence, lastBySubject, nextBySubject, startMs, batch, maxBytes } = wanted
  if (batch > 0 || maxBytes > 0) return false
  const isStart = sequence > 0 || startMs !== null
  if (lastBySubject !== '') return !isStart && nextBySubject === ''
  return (isStart || nextBySubject !== '') && !(sequence > 0 && startMs !== null)
}

/** The sequence of the message that is wanted; 0: there is none. */
export function sequenceOf({ state: { index } }: Stream, wanted: MessageRequest): number {
  const { lastBySubject, nextBySubject, startMs } = wanted
  if (lastBySubject !== '') {
    return index.lastPerSubject(new SubjectFilter([lastBySubject])).at(-1) ?? 0
  }
  const from = startMs === null ? wanted.sequence : index.sequenceAtTime(startMs)
  if (nextBySubject === '') return index.has(from) ? from : 0
  const found = index.nextSequence(from, new SubjectFilter([nextBySubject]))
  return Number.isFinite(found) ? found : 0
}

function messageJson(message: StoredMessage, hasNoHeaders: boolean) {
  const { subject, sequence, headers, payload, timestampMs } = message
  return {
    subject,
    seq: sequence,
    ...(headers !== null && !hasNoHeaders && { hdrs: headers.toString('base64') }),
    ...(payload.byteLength > 0 && { data: payload.toString('base64') }),
    time: isoTime(timestampMs),
  }
}
