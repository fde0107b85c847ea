import { AssertionError, ProtocolError } from '../../base/errors.ts'
import type { Counter, Histogram, Meter } from '../../ports/meter.ts'
import { servedRange } from '../../wire/kafka/api-versions.ts'
import {
  type Decode,
  decoderOf,
  type Encode,
  encoderOf,
  Reader,
  Writer,
} from '../../wire/kafka/codec.ts'
import {
  type RequestHeader,
  requestHeader,
  requestHeaderVersion,
  responseHeader,
  responseHeaderVersion,
} from '../../wire/kafka/headers.ts'
import type { KafkaHandler } from './handler.ts'

/** Answered in version 0 with an error when a peer asks for a version we lack (KIP-511). */
const API_VERSIONS_KEY = 18

/** One API key: who serves it and how its bytes are read and written. */
export interface Route {
  readonly handler: KafkaHandler
  readonly minVersion: number
  readonly maxVersion: number
  readonly requestCount: Counter
  readonly durationMs: Histogram
  readonly decoderOf: (version: number) => Decode<unknown>
  readonly encoderOf: (version: number) => Encode<unknown>
}

/** A request whose header and body were read. `isUnsupportedVersion` only for ApiVersions. */
export interface DecodedRequest {
  readonly route: Route
  readonly header: RequestHeader
  readonly body: unknown
  readonly isUnsupportedVersion: boolean
}

const DURATION_BUCKETS_MS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 5000]

/**
 * Knows every API that is served. One reader and one writer serve all connections: reading and
 * writing a message is synchronous.
 */
export class Dispatcher {
  readonly #routes: (Route | undefined)[] = []
  readonly #reader = new Reader()
  readonly #writer = new Writer()
  readonly #readHeader = decoderOf(requestHeader)
  readonly #writeHeader = encoderOf(responseHeader)

  constructor(handlers: readonly KafkaHandler[], meter: Meter) {
    for (const handler of handlers) {
      const { api } = handler
      const range = servedRange(api)
      if (range === undefined) throw new AssertionError('a handler serves a stable version')
      const labels = { api: api.name }
      this.#routes[api.key] = {
        handler,
        ...range,
        requestCount: meter.counter('kafka_requests_total', 'Requests received.', labels),
        durationMs: meter.histogram(
          'kafka_request_duration_ms',
          'Time from a whole request to its answer, milliseconds; long polls included.',
          DURATION_BUCKETS_MS,
          labels,
        ),
        decoderOf: decoderOf(api.request) as Route['decoderOf'],
        encoderOf: encoderOf(api.response) as Route['encoderOf'],
      }
    }
  }

  /** Bytes a request of this key may have; undefined when the key is not served. */
  maxRequestBytes(apiKey: number): number | undefined {
    return this.#routes[apiKey]?.handler.maxRequestBytes
  }

  /** The key and version ranges, for ApiVersions. */
  get handlers(): readonly KafkaHandler[] {
    return this.#routes.flatMap((route) => (route === undefined ? [] : [route.handler]))
  }

  /**
   * Reads a whole frame. Byte fields of the body are views of it.
   * @throws ProtocolError for what Kafka answers by closing the connection: an unknown key or
   *   version, or bytes that are not the request they claim to be
   */
  decode(frame: Buffer): DecodedRequest {
    if (frame.byteLength < 4) throw new ProtocolError('a frame is too short for a request header')
    const apiKey = frame.readInt16BE(0)
    const apiVersion = frame.readInt16BE(2)
    const route = this.#routes[apiKey]
    if (route === undefined) throw new ProtocolError(`API key ${apiKey} is not served`)
    if (apiVersion < route.minVersion || apiVersion > route.maxVersion) {
      return this.#unsupported(route, frame, apiVersion)
    }
    const reader = this.#reader
    reader.reset(frame)
    const header = this.#readHeader(requestHeaderVersion(route.handler.api, apiVersion))(reader)
    const body = route.decoderOf(apiVersion)(reader)
    // Bytes may follow: librdkafka 2.16 adds three to Metadata v13, and Kafka does not look at them.
    return { route, header, body, isUnsupportedVersion: false }
  }

  /** The frame of a response, ready to be sent in order. */
  encode(route: Route, apiVersion: number, correlationId: number, response: unknown): Buffer[] {
    const writer = this.#writer
    try {
      writer.beginFrame()
      const headerVersion = responseHeaderVersion(route.handler.api, apiVersion)
      this.#writeHeader(headerVersion)(writer, { correlationId })
      route.encoderOf(apiVersion)(writer, response)
      return writer.finishFrame()
    } catch (error) {
      writer.discard()
      throw error
    }
  }

  #unsupported(route: Route, frame: Buffer, apiVersion: number): DecodedRequest {
    const { api } = route.handler
    if (api.key !== API_VERSIONS_KEY || frame.byteLength < 8) {
      throw new ProtocolError(`${api.name} version ${apiVersion} is not served`)
    }
    const header: RequestHeader = {
      requestApiKey: api.key,
      requestApiVersion: 0,
      correlationId: frame.readInt32BE(4),
      clientId: null,
    }
    return { route, header, body: null, isUnsupportedVersion: true }
  }
}
