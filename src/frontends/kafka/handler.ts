import type { Lease } from '../../base/lease.ts'
import type { Api, Decoded, Encodable, Message } from '../../wire/kafka/codec.ts'

/** Host and port that clients are told to connect to. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** What is known of the peer of a request. */
export interface ClientConnection {
  readonly id: number
  readonly remoteAddress: string
  /** Where this peer reaches this broker: configured, or the address it connected to. */
  readonly advertised: Endpoint
  /** `User:ANONYMOUS` while nobody logged in. */
  readonly principal: string
  /** From ApiVersions (KIP-511); `unknown` before. */
  softwareName: string
  softwareVersion: string
}

/** One request and the way to answer it. */
export interface Exchange<Response = unknown> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  readonly connection: ClientConnection
  /** Byte fields of the request live as long as this: retain it to keep them past `respond`. */
  readonly lease: Lease
  /** True when the peer is gone: what waits for it should stop. */
  readonly isClosed: boolean
  /**
   * Answers; exactly once, in any turn. Answers of one connection leave in request order.
   * @param sent called once when the bytes of the response are no longer needed
   */
  respond(response: Response, sent?: () => void): void
  /** Ends the exchange with no answer at all: acks=0. */
  respondNothing(): void
  /** Closes the connection instead of answering. */
  closeConnection(reason: string): void
  /** `task` runs once if the connection closes before the answer. */
  onClose(task: () => void): void
}

type AnyApi = Api

/** Serves one API key in all its versions. */
export interface KafkaHandler {
  readonly api: AnyApi
  /** Requests above this many bytes are refused by closing the connection. */
  readonly maxRequestBytes: number
  /** A value or promise is the response; undefined: `exchange.respond` is or will be called. */
  handle(request: unknown, exchange: Exchange): unknown
}

/** All but Produce carry names and numbers only; the limit keeps their decoding cheap. */
const DEFAULT_MAX_REQUEST_BYTES = 16 * 1024 * 1024

/** Ties a handler function to its API, with the types of that API. */
export function defineHandler<A extends Api>(
  api: A,
  handle: (
    request: Decoded<A['request'] & Message>,
    exchange: Exchange<Encodable<A['response'] & Message>>,
  ) => Encodable<A['response'] & Message> | Promise<Encodable<A['response'] & Message>> | undefined,
  maxRequestBytes: number = DEFAULT_MAX_REQUEST_BYTES,
): KafkaHandler {
  return { api, maxRequestBytes, handle: handle as KafkaHandler['handle'] }
}
