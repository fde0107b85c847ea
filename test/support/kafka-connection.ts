import { connect, type Socket } from 'node:net'
import {
  type Api,
  type Decode,
  type Decoded,
  decoderOf,
  type Encodable,
  encoderOf,
  Reader,
  Writer,
} from '../../src/wire/kafka/codec.ts'
import {
  requestHeader,
  requestHeaderVersion,
  responseHeader,
  responseHeaderVersion,
} from '../../src/wire/kafka/headers.ts'

/** The connection ended, so nobody knows what became of the requests without an answer. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

interface Waiting {
  readonly correlationId: number
  readonly headerVersion: number
  readonly decode: Decode<unknown>
  readonly resolve: (response: unknown) => void
  readonly reject: (error: Error) => void
}

const encodeHeader = encoderOf(requestHeader)
const decodeHeader = decoderOf(responseHeader)

/**
 * A Kafka connection that sends exactly what it is told to: no retries, no other connection, no
 * request of its own. Requests may be pipelined; their bytes leave in the order of the calls.
 */
export class KafkaConnection {
  readonly #socket: Socket
  readonly #writer = new Writer()
  readonly #reader = new Reader()
  readonly #waiting: Waiting[] = []
  readonly #closed: Promise<void>
  #unread: Buffer = Buffer.alloc(0)
  #nextCorrelationId = 1
  #lost: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes) => this.#receive(bytes))
    socket.on('error', (error) => this.#lose(error))
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#lose()
        resolve()
      })
    })
  }

  /** @param bootstrap HOST:PORT */
  static async open(bootstrap: string): Promise<KafkaConnection> {
    const colon = bootstrap.lastIndexOf(':')
    const socket = connect(Number(bootstrap.slice(colon + 1)), bootstrap.slice(0, colon))
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).once('connect', () => {
        socket.off('error', reject)
        resolve()
      })
    })
    return new KafkaConnection(socket)
  }

  /**
   * Sends one request and returns its answer, error codes and all.
   * @throws ConnectionLost when the connection ends before the answer came
   */
  call<A extends Api>(
    api: A,
    version: number,
    body: Encodable<A['request']>,
  ): Promise<Decoded<A['response']>> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) {
        reject(this.#lost)
        return
      }
      const correlationId = this.#nextCorrelationId++
      this.#send(api, version, correlationId, body)
      this.#waiting.push({
        correlationId,
        headerVersion: responseHeaderVersion(api, version),
        decode: decoderOf(api.response)(version),
        resolve: resolve as (response: unknown) => void,
        reject,
      })
    })
  }

  /** As `call` for a Produce with acks=0, which has no answer. */
  tell<A extends Api>(api: A, version: number, body: Encodable<A['request']>): void {
    if (this.#lost === undefined) this.#send(api, version, this.#nextCorrelationId++, body)
  }

  async close(): Promise<void> {
    this.#socket.destroy()
    await this.#closed
  }

  #send<A extends Api>(
    api: A,
    version: number,
    correlationId: number,
    body: Encodable<A['request']>,
  ): void {
    const writer = this.#writer
    writer.beginFrame()
    encodeHeader(requestHeaderVersion(api, version))(writer, {
      requestApiKey: api.key,
      requestApiVersion: version,
      correlationId,
      clientId: 'spool-test',
    })
    encoderOf(api.request)(version)(writer, body)
    this.#socket.cork()
    for (const piece of writer.finishFrame()) this.#socket.write(piece)
    this.#socket.uncork()
  }

  #receive(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes])
    let position = 0
    while (this.#unread.length - position >= 4) {
      const end = position + 4 + this.#unread.readInt32BE(position)
      if (end > this.#unread.length) break
      this.#answer(position + 4, end)
      position = end
    }
    this.#unread = this.#unread.subarray(position)
  }

  #answer(start: number, end: number): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) {
      this.#socket.destroy(new Error('an answer nobody asked for'))
      return
    }
    const reader = this.#reader
    try {
      reader.reset(this.#unread, start, end)
      const { correlationId } = decodeHeader(waiting.headerVersion)(reader)
      if (correlationId !== waiting.correlationId) {
        throw new Error(`answer ${correlationId} where ${waiting.correlationId} was due`)
      }
      const response = waiting.decode(reader)
      reader.expectEnd()
      waiting.resolve(response)
    } catch (error) {
      waiting.reject(error as Error)
      this.#socket.destroy(error as Error)
    }
  }

  #lose(cause?: Error): void {
    this.#lost ??= new ConnectionLost('the broker closed the connection', { cause })
    for (const { reject } of this.#waiting.splice(0)) reject(this.#lost)
  }
}
