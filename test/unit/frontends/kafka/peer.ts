import type { Connection, StreamSession } from '../../../../src/ports/transport.ts'
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

const EVERYTHING = Number.POSITIVE_INFINITY

/**
 * A client and the socket to it, without a network. As a socket that reads into the session's
 * memory it asks for the next place right after each read, so that one more read may come to that
 * place after a pause. What the peer sends while reading is paused waits.
 */
export class Peer implements Connection {
  readonly remoteAddress: string = '127.0.0.1'
  readonly remotePort: number = 50_000
  readonly localAddress: string = '127.0.0.1'
  readonly localPort: number = 9092
  isPaused = false
  isDestroyed = false
  isEnded = false
  pauseCount = 0
  /** Bytes of one read, at most. */
  readBytes = EVERYTHING
  /** A slow peer takes answers only when the test calls `takeAnswers`. */
  isSlow = false
  #session: StreamSession | null = null
  #into: Buffer = Buffer.alloc(0)
  #inbox: Buffer = Buffer.alloc(0)
  #isDelivering = false
  #outbox: Buffer[] = []
  #unsent: { byteCount: number; sent: (() => void) | null }[] = []

  get unsentBytes(): number {
    return this.#unsent.reduce((total, { byteCount }) => total + byteCount, 0)
  }

  /** Bytes that the peer sent and nobody read. */
  get unreadBytes(): number {
    return this.#inbox.byteLength
  }

  attach(session: StreamSession): void {
    this.#session = session
    this.#into = session.nextBuffer()
  }

  write(pieces: readonly Buffer[], sent: (() => void) | null): void {
    if (this.isDestroyed) {
      sent?.()
      return
    }
    if (this.isEnded) throw new Error('a session wrote after it ended its connection')
    let byteCount = 0
    for (const piece of pieces) {
      byteCount += piece.byteLength
      this.#outbox.push(Buffer.from(piece))
    }
    this.#unsent.push({ byteCount, sent })
    if (!this.isSlow) queueMicrotask(() => this.takeAnswers())
  }

  /** The kernel takes what was written. */
  takeAnswers(): void {
    for (const { sent } of this.#unsent.splice(0)) sent?.()
    if (this.isEnded && this.#unsent.length === 0) this.close()
  }

  pause(): void {
    this.isPaused = true
    this.pauseCount++
  }

  resume(): void {
    this.isPaused = false
    queueMicrotask(() => this.#deliver())
  }

  end(): void {
    this.isEnded = true
    if (this.#unsent.length === 0) queueMicrotask(() => this.close())
  }

  destroy(): void {
    if (this.isDestroyed) return
    this.isDestroyed = true
    for (const { sent } of this.#unsent.splice(0)) sent?.()
    queueMicrotask(() => this.#session?.closed())
  }

  /** The peer hangs up. */
  close(): void {
    if (this.isDestroyed) return
    this.isDestroyed = true
    for (const { sent } of this.#unsent.splice(0)) sent?.()
    this.#session?.closed()
  }

  send(bytes: Buffer): void {
    this.#inbox = this.#inbox.byteLength === 0 ? bytes : Buffer.concat([this.#inbox, bytes])
    this.#deliver()
  }

  /** One read that the transport had prepared before it was told to pause. */
  deliverOneRead(): void {
    this.#read()
  }

  /** Whole answers so far, without their length; they are forgotten. */
  takeFrames(): Buffer[] {
    const bytes = Buffer.concat(this.#outbox)
    const frames: Buffer[] = []
    let at = 0
    while (at + 4 <= bytes.byteLength) {
      const end = at + 4 + bytes.readInt32BE(at)
      if (end > bytes.byteLength) break
      frames.push(bytes.subarray(at + 4, end))
      at = end
    }
    this.#outbox = at === bytes.byteLength ? [] : [bytes.subarray(at)]
    return frames
  }

  #deliver(): void {
    if (this.#isDelivering) return
    this.#isDelivering = true
    while (this.#inbox.byteLength > 0 && !this.isPaused && !this.isDestroyed) this.#read()
    this.#isDelivering = false
  }

  #read(): void {
    const session = this.#session
    if (session === null || this.#inbox.byteLength === 0) return
    const into = this.#into
    if (into.byteLength === 0) throw new Error('a session gave no room for a read')
    const byteCount = Math.min(into.byteLength, this.#inbox.byteLength, this.readBytes)
    this.#inbox.copy(into, 0, 0, byteCount)
    this.#inbox = this.#inbox.subarray(byteCount)
    session.received(byteCount)
    this.#into = session.nextBuffer()
  }
}

export interface RequestOptions {
  readonly correlationId?: number
  readonly clientId?: string | null
}

/** The frame of a request with its length, as a client writes it. */
export function requestFrame<A extends Api>(
  api: A,
  version: number,
  body: Encodable<A['request']>,
  { correlationId = 1, clientId = 'test' }: RequestOptions = {},
): Buffer {
  const writer = new Writer()
  writer.beginFrame()
  const header = { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId }
  encoderOf(requestHeader)(requestHeaderVersion(api, version))(writer, header)
  encoderOf(api.request)(version)(writer, body as never)
  return Buffer.concat(writer.finishFrame())
}

export interface Response<A extends Api> {
  readonly correlationId: number
  readonly body: Decoded<A['response']>
}

export function readResponse<A extends Api>(api: A, version: number, frame: Buffer): Response<A> {
  const reader = new Reader()
  reader.reset(frame)
  const { correlationId } = decoderOf(responseHeader)(responseHeaderVersion(api, version))(reader)
  const body = decoderOf(api.response)(version)(reader) as Decoded<A['response']>
  reader.expectEnd()
  return { correlationId, body }
}

export const correlationIdOf = (frame: Buffer): number => frame.readInt32BE(0)

/** Lets promises and microtasks that are ready run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
