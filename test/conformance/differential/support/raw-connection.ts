import { connect, type Socket } from 'node:net'
import {
  type Api,
  type Decoded,
  decoderOf,
  type Encodable,
  encoderOf,
  Reader,
  Writer,
} from '../../../../src/wire/kafka/codec.ts'
import {
  requestHeader,
  requestHeaderVersion,
  responseHeader,
  responseHeaderVersion,
} from '../../../../src/wire/kafka/headers.ts'

/** What came after a request: an answer, the end of the connection, or nothing for a while. */
export type Outcome = Buffer | 'closed' | 'silent'

const CLIENT_ID = 'differential'
/** Longer than any answer takes here; a request that a broker loses fails after this. */
const ANSWER_LIMIT_MS = 20_000

/** One connection to a broker that sends and receives whole frames, well-formed or not. */
export class RawConnection {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #isClosed = false
  #correlationId = 0
  readonly #watchers = new Set<() => void>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#notify()
    })
    socket.on('close', () => {
      this.#isClosed = true
      this.#notify()
    })
    // A reset by the broker counts as the end of the connection, like an orderly one.
    socket.on('error', () => {})
  }

  static async open(bootstrap: string): Promise<RawConnection> {
    const [host, port] = bootstrap.split(':')
    const socket = connect({ host: host ?? '', port: Number(port), noDelay: true })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new RawConnection(socket)
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Sends a request and returns the decoded answer. */
  async call<A extends Api>(
    api: A,
    version: number,
    request: Encodable<A['request']>,
  ): Promise<Decoded<A['response']>> {
    this.send(api, version, request)
    return this.answer(api, version)
  }

  /** Sends a request without waiting for its answer. */
  send<A extends Api>(
    api: A,
    version: number,
    request: Encodable<A['request']>,
    clientId: string | null = CLIENT_ID,
  ): void {
    const writer = new Writer()
    encoderOf(requestHeader)(requestHeaderVersion(api, version))(writer, {
      requestApiKey: api.key,
      requestApiVersion: version,
      correlationId: ++this.#correlationId,
      clientId,
    })
    encoderOf(api.request)(version)(writer, request)
    this.sendFrame(Buffer.concat(writer.finish()))
  }

  /** The decoded answer to the oldest request that has none yet. */
  async answer<A extends Api>(api: A, version: number): Promise<Decoded<A['response']>> {
    const frame = await this.outcome(ANSWER_LIMIT_MS)
    if (typeof frame === 'string') throw new Error(`${api.name} v${version}: ${frame}, no answer`)
    const reader = new Reader(frame)
    decoderOf(responseHeader)(responseHeaderVersion(api, version))(reader)
    const response = decoderOf(api.response)(version)(reader)
    reader.expectEnd()
    return response as Decoded<A['response']>
  }

  /** Sends bytes with their length before them. */
  sendFrame(body: Buffer): void {
    const size = Buffer.alloc(4)
    size.writeInt32BE(body.length)
    this.sendBytes(Buffer.concat([size, body]))
  }

  sendBytes(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** The next frame without its length, or what happened instead of one within `limitMs`. */
  async outcome(limitMs: number): Promise<Outcome> {
    const deadline = AbortSignal.timeout(limitMs)
    while (true) {
      const frame = this.#takeFrame()
      if (frame !== undefined) return frame
      if (this.#isClosed) return 'closed'
      if (deadline.aborted) return 'silent'
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#watchers.delete(wake)
          deadline.removeEventListener('abort', wake)
          resolve()
        }
        this.#watchers.add(wake)
        deadline.addEventListener('abort', wake)
      })
    }
  }

  #takeFrame(): Buffer | undefined {
    if (this.#received.length < 4) return undefined
    const end = 4 + this.#received.readInt32BE()
    if (this.#received.length < end) return undefined
    const frame = this.#received.subarray(4, end)
    this.#received = this.#received.subarray(end)
    return frame
  }

  #notify(): void {
    for (const wake of [...this.#watchers]) wake()
  }
}
