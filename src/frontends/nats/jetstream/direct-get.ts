import { withHeaders } from '../../../broker/jetstream/stream/message-headers.ts'
import type { Stream } from '../../../broker/jetstream/stream/stream.ts'
import type { StoredMessage } from '../../../broker/jetstream/stream/stream-reader.ts'
import { SubjectFilter } from '../../../broker/jetstream/stream/subject-filter.ts'
import type { ServerPublisher } from '../server-publisher.ts'
import type { ApiRequest, ApiRouter } from './api-router.ts'
import { parseByteJson } from './byte-json.ts'
import { isoTime } from './consumer-info-json.ts'
import { type MessageRequest, parseMessageRequest } from './message-request.ts'
import { sequenceOf } from './message-requests.ts'
import { statusHeaders } from './status-messages.ts'

/** Source: maxAllowedResponses of nats-server. */
const MAX_SUBJECTS = 1024

/** Bytes of one answer when the client gave no bound. Source: max_pending of nats-server. */
const MAX_BYTES = 64 * 1024 * 1024

/** Messages that are read at once. */
const READ_COUNT = 256

const EMPTY_REQUEST = { code: 408, description: 'Empty Request' }
const MALFORMED = { code: 408, description: 'Malformed Request' }
const BAD_REQUEST = { code: 408, description: 'Bad Request' }
const NOT_FOUND = { code: 404, description: 'Message Not Found' }
const NO_RESULTS = { code: 404, description: 'No Results' }
const TOO_MANY = { code: 413, description: 'Too Many Results' }

type Headers = readonly (readonly [name: string, value: string])[]

/** What a batch has to say besides its messages. */
interface Batch {
  readonly sequences: readonly number[]
  /** Messages that pass and come behind those. */
  readonly pendingBehind: number
  /** For requests of the last of several subjects. */
  readonly upToSequence: number | null
  readonly maxBytes: number
  readonly hasNoHeaders: boolean
}

/**
 * Answers with messages of one stream as they are, and facts about them in headers.
 * Source: processDirectGetRequest of nats-server (ADR-31).
 */
export class DirectGet {
  readonly #router: ApiRouter
  readonly #publisher: ServerPublisher
  readonly #stream: Stream
  readonly #subscriptions: readonly { stop(): void }[]

  constructor(router: ApiRouter, publisher: ServerPublisher, stream: Stream) {
    this.#router = router
    this.#publisher = publisher
    this.#stream = stream
    const subject = `$JS.API.DIRECT.GET.${stream.name}`
    this.#subscriptions = [
      router.on(subject, (request) => this.#get(request)),
      router.on(`${subject}.>`, (request) => this.#getLast(request)),
    ]
  }

  stop(): void {
    for (const subscription of this.#subscriptions) subscription.stop()
  }

  #getLast(request: ApiRequest): void {
    const isPlain = request.payload.byteLength === 0
    const body = isPlain ? NO_BODY : this.#parse(request)
    if (body === null) return
    const isGood = isPlain || isNothing(body)
    if (!isGood) {
      this.#status(request, BAD_REQUEST)
      return
    }
    this.#one(request, { ...body, lastBySubject: request.tokens[0] ?? '' })
  }

  #get(request: ApiRequest): void {
    if (request.payload.byteLength === 0) {
      this.#status(request, EMPTY_REQUEST)
      return
    }
    const wanted = this.#parse(request)
    if (wanted === null) return
    const { lastBySubject, nextBySubject, lastOf, startMs, sequence, batch } = wanted
    const hasStart = sequence > 0 || startMs !== null
    if (!hasStart && lastBySubject === '' && nextBySubject === '' && lastOf.length === 0) {
      this.#status(request, EMPTY_REQUEST)
      return
    }
    const isLastMixed =
      lastBySubject !== '' && (hasStart || nextBySubject !== '' || batch > 0 || lastOf.length > 0)
    const isBad =
      isLastMixed ||
      (sequence > 0 && startMs !== null) ||
      (nextBySubject !== '' && lastOf.length > 0) ||
      (wanted.upToSequence > 0 && wanted.upToMs !== null)
    if (isBad) {
      this.#status(request, BAD_REQUEST)
      return
    }
    if (lastOf.length > 0) this.#many(request, wanted)
    else if (batch > 0) this.#batch(request, wanted)
    else this.#one(request, wanted)
  }

  #parse(request: ApiRequest): MessageRequest | null {
    let wanted: MessageRequest | null = null
    try {
      wanted = parseMessageRequest(parseByteJson(request.payload))
    } catch {
      // Told below.
    }
    if (wanted === null) this.#status(request, MALFORMED)
    return wanted
  }

  #one(request: ApiRequest, wanted: MessageRequest): void {
    const sequence = sequenceOf(this.#stream, wanted)
    if (sequence === 0) {
      this.#status(request, NOT_FOUND)
      return
    }
    this.#stream.read([sequence], (error, [message = null]) => {
      if (error !== null || message === null) {
        this.#status(request, NOT_FOUND)
        return
      }
      const headers = wanted.hasNoHeaders ? null : this.#headersOf(message, [])
      this.#publisher.publish(request.reply, null, headers, message.payload)
    })
  }

  #batch(request: ApiRequest, wanted: MessageRequest): void {
    const { index } = this.#stream.state
    const { nextBySubject, startMs, batch, maxBytes } = wanted
    const filter = new SubjectFilter(nextBySubject === '' ? [] : [nextBySubject])
    const from = startMs === null ? wanted.sequence : index.sequenceAtTime(startMs)
    const sequences: number[] = []
    let at = index.nextSequence(from, filter)
    while (Number.isFinite(at) && sequences.length < batch) {
      sequences.push(at)
      at = index.nextSequence(at + 1, filter)
    }
    if (sequences.length === 0) {
      this.#status(request, NOT_FOUND)
      return
    }
    const pendingBehind = index.pendingCount(from, filter) - sequences.length
    const bytes = maxBytes === 0 ? MAX_BYTES : maxBytes
    const { hasNoHeaders } = wanted
    const bounds = { upToSequence: null, maxBytes: bytes, hasNoHeaders }
    this.#send(request, { sequences, pendingBehind, ...bounds })
  }

  #many(request: ApiRequest, wanted: MessageRequest): void {
    const { index } = this.#stream.state
    const { lastOf, upToMs, batch, maxBytes, sequence: from } = wanted
    let upToSequence = wanted.upToSequence === 0 ? index.lastSequence : wanted.upToSequence
    if (upToMs !== null) {
      upToSequence = index.sequenceAtTime(upToMs) - 1
      if (upToSequence < index.firstSequence) {
        this.#status(request, NO_RESULTS)
        return
      }
    }
    const all = index.lastPerSubject(new SubjectFilter(lastOf), upToSequence)
    const passing = all.filter((sequence) => sequence >= from)
    if (passing.length > MAX_SUBJECTS) {
      this.#status(request, TOO_MANY)
      return
    }
    if (passing.length === 0) {
      this.#status(request, NO_RESULTS)
      return
    }
    const sequences = batch > 0 ? passing.slice(0, batch) : passing
    const pendingBehind = passing.length - sequences.length
    const bytes = maxBytes === 0 ? MAX_BYTES : maxBytes
    const bounds = { upToSequence, maxBytes: bytes, hasNoHeaders: wanted.hasNoHeaders }
    this.#send(request, { sequences, pendingBehind, ...bounds })
  }

  /** Sends messages until the bytes are used up, then says where it ended. */
  #send(request: ApiRequest, batch: Batch): void {
    const { sequences, pendingBehind, upToSequence, maxBytes, hasNoHeaders } = batch
    let at = 0
    let sentBytes = 0
    let last = 0
    let pending = sequences.length + pendingBehind
    const end = (): void => {
      const headers: Record<string, string> = {
        'Nats-Num-Pending': String(pending),
        'Nats-Last-Sequence': String(last),
      }
      if (upToSequence !== null) headers['Nats-UpTo-Sequence'] = String(upToSequence)
      this.#router.answerStatus(request, statusHeaders({ code: 204, description: 'EOB', headers }))
    }
    const readOn = (): void => {
      const next = sequences.slice(at, at + READ_COUNT)
      if (next.length === 0) {
        end()
        return
      }
      this.#stream.read(next, (error, messages) => {
        if (error !== null) {
          this.#status(request, NOT_FOUND)
          return
        }
        for (const message of messages) {
          at++
          pending--
          if (message === null) continue
          const headers = this.#headersOf(message, [
            ['Nats-Num-Pending', String(pending)],
            ['Nats-Last-Sequence', String(last)],
          ])
          last = message.sequence
          const shown = hasNoHeaders ? null : headers
          this.#publisher.publish(request.reply, null, shown, message.payload)
          const headerBytes = message.headers?.byteLength ?? 0
          sentBytes += message.subject.length + headerBytes + message.payload.byteLength
          if (sentBytes >= maxBytes) {
            end()
            return
          }
        }
        readOn()
      })
    }
    readOn()
  }

  #headersOf({ subject, sequence, timestampMs, headers }: StoredMessage, more: Headers): Buffer {
    return withHeaders(headers, [
      ['Nats-Stream', this.#stream.name],
      ['Nats-Subject', subject],
      ['Nats-Sequence', String(sequence)],
      ['Nats-Time-Stamp', isoTime(timestampMs)],
      ...more,
    ])
  }

  #status(request: ApiRequest, status: { code: number; description: string }): void {
    this.#router.answerStatus(request, statusHeaders(status))
  }
}

const NO_BODY: MessageRequest = {
  ...{ sequence: 0, lastBySubject: '', nextBySubject: '', batch: 0, maxBytes: 0, startMs: null },
  ...{ lastOf: [], upToSequence: 0, upToMs: null, hasNoHeaders: false },
}

/** It may ask for headers to be left out, and for nothing else. */
function isNothing(wanted: MessageRequest): boolean {
  const { sequence, lastBySubject, nextBySubject, lastOf, batch, startMs } = wanted
  if (sequence > 0 || lastBySubject !== '' || nextBySubject !== '' || lastOf.length > 0)
    return false
  return batch === 0 && startMs === null && wanted.upToSequence === 0 && wanted.upToMs === null
}
