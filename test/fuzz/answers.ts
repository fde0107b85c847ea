import { ProtocolError } from '../../src/base/errors.ts'
import { servedRange } from '../../src/wire/kafka/api-versions.ts'
import {
  type Api,
  type Decode,
  decoderOf,
  type Message,
  Reader,
} from '../../src/wire/kafka/codec.ts'
import {
  requestHeader,
  requestHeaderVersion,
  responseHeader,
  responseHeaderVersion,
} from '../../src/wire/kafka/headers.ts'
import { type ProduceRequest, produceApi } from '../../src/wire/kafka/messages/00-produce.ts'
import { apiVersionsApi } from '../../src/wire/kafka/messages/18-api-versions.ts'

/** What the answer to a request must be: of which API and version, and with which correlation id. */
interface Expected {
  readonly api: Api
  readonly version: number
  readonly correlationId: number
}

/** Reads what a broker answers as a client does: everything must be a message, to its last byte. */
export class AnswerCheck {
  readonly #apis: ReadonlyMap<number, Api>
  readonly #reader = new Reader()

  /** @param apis that are served */
  constructor(apis: readonly Api[]) {
    this.#apis = new Map(apis.map((api) => [api.key, api]))
  }

  /**
   * Answers come in the order of the requests. Those at the end may be missing: they wait, or the
   * connection was closed.
   * @param sent everything that went over one connection
   * @param answers frames without their length
   * @throws Error when an answer is not the next one, or not of its schema
   */
  check(sent: Buffer, answers: readonly Buffer[]): void {
    const requests = this.#expected(sent)
    for (const answer of answers) {
      const next = requests.next()
      if (next.done) throw new Error(`an answer to nothing that was asked: ${hex(answer)}`)
      this.#checkOne(next.value, answer)
    }
  }

  #checkOne({ api, version, correlationId }: Expected, answer: Buffer): void {
    const reader = this.#reader
    reader.reset(answer)
    try {
      const header = decoderOf(responseHeader)(responseHeaderVersion(api, version))(reader)
      if (header.correlationId !== correlationId) {
        throw new Error(`correlation id ${header.correlationId} instead of ${correlationId}`)
      }
      decode(api.response, version)(reader)
      reader.expectEnd()
    } catch (error) {
      throw new Error(`bad answer to ${api.name} v${version}: ${hex(answer)}`, { cause: error })
    }
  }

  /** The requests in `sent` that are answered, up to the first one that ends the connection. */
  *#expected(sent: Buffer): Generator<Expected, void> {
    for (let at = 0; at + 4 <= sent.byteLength; ) {
      const end = at + 4 + sent.readInt32BE(at)
      if (end < at + 12 || end > sent.byteLength) return
      const frame = sent.subarray(at + 4, end)
      at = end
      const request = this.#request(frame)
      if (request === null) return
      if (request !== 'unanswered') yield request
    }
  }

  #request(frame: Buffer): Expected | 'unanswered' | null {
    const version = frame.readInt16BE(2)
    const correlationId = frame.readInt32BE(4)
    const api = this.#apis.get(frame.readInt16BE(0))
    const range = api && servedRange(api)
    if (api === undefined || range === undefined) return null
    if (version < range.minVersion || version > range.maxVersion) {
      // A client that is too new for us is told so in version 0 (KIP-511).
      return api.key === apiVersionsApi.key ? { api, version: 0, correlationId } : null
    }
    const reader = this.#reader
    reader.reset(frame)
    try {
      decoderOf(requestHeader)(requestHeaderVersion(api, version))(reader)
      const body = decode(api.request, version)(reader)
      const isSilent = api.key === produceApi.key && (body as ProduceRequest).acks === 0
      return isSilent ? 'unanswered' : { api, version, correlationId }
    } catch (error) {
      if (error instanceof ProtocolError) return null
      throw error
    }
  }
}

const decode = (message: Message, version: number): Decode<unknown> =>
  decoderOf(message)(version) as Decode<unknown>

const hex = (bytes: Buffer): string => bytes.subarray(0, 200).toString('hex')
