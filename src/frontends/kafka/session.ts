import { ProtocolError } from '../../base/errors.ts'
import type { Lease } from '../../base/lease.ts'
import type { Counter } from '../../ports/meter.ts'
import type { Connection, StreamSession } from '../../ports/transport.ts'
import type { DecodedRequest } from './dispatcher.ts'
import { FrameReceiver, type ReceiveMemory } from './frame-receiver.ts'
import type { ClientConnection } from './handler.ts'
import {
  PRODUCE_KEY,
  type RequestOwner,
  type RequestServices,
  ServedRequest,
} from './served-request.ts'

export interface SessionLimits {
  /** `socket.request.max.bytes`: larger frames close the connection. */
  readonly maxRequestBytes: number
  /** Request bytes of one connection that wait or are served; above it, reading pauses. */
  readonly maxInFlightBytes: number
  /** Requests of one connection that wait or are served; above it, reading pauses. */
  readonly maxInFlightCount: number
  /** While the peer has so many bytes of answers to read, it gets no further ones. */
  readonly maxUnsentBytes: number
}

/** What all sessions of the front end share. */
export interface SessionServices extends RequestServices {
  readonly memory: ReceiveMemory
  readonly limits: SessionLimits
  readonly protocolErrorCount: Counter
}

interface QueuedFrame {
  readonly frame: Buffer
  readonly lease: Lease
}

/**
 * One Kafka connection, without any I/O of its own: bytes in, pieces out. Requests are served one
 * after the other, as Kafka does, except that Produce follows Produce without waiting for the disk.
 * Answers leave in request order. Everything it holds is bounded: it pauses the connection when its
 * peer sends more than is served or reads less than is answered.
 */
export class KafkaSession implements StreamSession, RequestOwner {
  readonly client: ClientConnection
  readonly #connection: Connection
  readonly services: SessionServices
  readonly #receiver: FrameReceiver
  readonly #gone: () => void
  /** Whole frames that wait for their turn. */
  readonly #queue: QueuedFrame[] = []
  /** Requests being served, oldest first. */
  readonly #open: ServedRequest[] = []
  #inFlightBytes = 0
  #isPaused = false
  #isClosed = false
  #isPumping = false
  #isDraining = false
  /** A large frame waits until other requests gave memory back. */
  #isStarved = false
  readonly resumed = (): void => {
    this.#isStarved = false
    this.services.budget.add(this.#receiver.reserveLater())
    this.#checkPressure()
  }

  constructor(
    connection: Connection,
    client: ClientConnection,
    services: SessionServices,
    gone: () => void,
  ) {
    this.client = client
    this.#gone = gone
    this.#connection = connection
    this.services = services
    this.#receiver = new FrameReceiver(services.memory, this)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  nextBuffer(): Buffer {
    return this.#receiver.nextBuffer()
  }

  received(byteCount: number): void {
    if (this.#isClosed) return
    try {
      this.#receiver.received(byteCount)
    } catch (error) {
      this.#refuse(error)
      return
    }
    this.#checkPressure()
  }

  closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#receiver.discard()
    for (const { frame, lease } of this.#queue.splice(0)) this.#forget(frame.byteLength, lease)
    for (const request of this.#open.splice(0)) request.abandon()
    this.services.budget.forget(this)
    this.#gone()
  }

  /** Serves what came, then closes: the broker stops. */
  drain(): void {
    this.#isDraining = true
    this.#connection.pause()
    this.#endIfServed()
  }

  checkFrame(byteCount: number, apiKey: number): void {
    const { limits, dispatcher } = this.services
    if (byteCount < 0 || byteCount > limits.maxRequestBytes) {
      throw new ProtocolError(`a frame of ${byteCount} bytes is not allowed`)
    }
    if (apiKey < 0) return
    const maxBytes = dispatcher.maxRequestBytes(apiKey)
    if (maxBytes === undefined) throw new ProtocolError(`API key ${apiKey} is not served`)
    if (byteCount > maxBytes) {
      throw new ProtocolError(`a request of ${byteCount} bytes for API key ${apiKey} is too large`)
    }
  }

  reserve(byteCount: number): boolean {
    const { budget } = this.services
    if (budget.isExceeded) {
      this.#isStarved = true
      budget.whenFree(this)
      this.#checkPressure()
      return false
    }
    budget.add(byteCount)
    return true
  }

  unreserve(byteCount: number): void {
    this.services.budget.remove(byteCount)
  }

  frameReceived(frame: Buffer, lease: Lease, isReserved: boolean): void {
    if (!isReserved) this.services.budget.add(frame.byteLength)
    this.#inFlightBytes += frame.byteLength
    if (this.#isClosed) {
      this.#forget(frame.byteLength, lease)
      return
    }
    this.#queue.push({ frame, lease })
    this.#pump()
  }

  /** The oldest answers that are ready leave together. */
  flush(): void {
    const open = this.#open
    let count = 0
    while (count < open.length && open[count]?.isAnswered) count++
    if (count === 0) return
    for (const request of open.splice(0, count)) {
      if (request.pieces !== null) this.#send(request.pieces, request.sent)
      this.#forget(request.frameBytes, request.lease)
    }
    this.#pump()
    this.#checkPressure()
    this.#endIfServed()
  }

  /** Small answers to a peer that reads them need no word when they are gone. */
  #send(pieces: readonly Buffer[], sent: (() => void) | null): void {
    const [first] = pieces
    const maxQuietBytes = this.services.limits.maxUnsentBytes - this.#connection.unsentBytes
    if (sent === null && pieces.length === 1 && (first?.byteLength ?? 0) <= maxQuietBytes) {
      this.#connection.write(pieces, null)
      return
    }
    this.#connection.write(pieces, () => {
      sent?.()
      this.#wasSent()
    })
  }

  fail(reason: string): void {
    this.services.logger.info('connection closed', {
      address: this.client.remoteAddress,
      reason,
    })
    this.#connection.destroy()
    this.closed()
  }

  /** While draining: all that came was answered, and leaves before the connection closes. */
  #endIfServed(): void {
    if (!this.#isDraining || this.#isClosed) return
    if (this.#open.length === 0 && this.#queue.length === 0) this.#connection.end()
  }

  #forget(byteCount: number, lease: Lease): void {
    this.#inFlightBytes -= byteCount
    this.services.budget.remove(byteCount)
    lease.release()
  }

  /** Starts what may be served now. Not re-entrant: an answer that is there at once comes back. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    try {
      for (;;) {
        const next = this.#queue[0]
        if (next === undefined || this.#isClosed || !this.#mayServe(next.frame)) return
        this.#queue.shift()
        this.#serve(next)
      }
    } finally {
      this.#isPumping = false
    }
  }

  #mayServe(frame: Buffer): boolean {
    if (this.#connection.unsentBytes > this.services.limits.maxUnsentBytes) return false
    const last = this.#open[this.#open.length - 1]
    return last === undefined || (last.isProduce && frame.readInt16BE(0) === PRODUCE_KEY)
  }

  #serve({ frame, lease }: QueuedFrame): void {
    const { dispatcher } = this.services
    let decoded: DecodedRequest
    try {
      decoded = dispatcher.decode(frame)
    } catch (error) {
      this.#forget(frame.byteLength, lease)
      this.#refuse(error)
      return
    }
    const request = new ServedRequest(this, decoded, lease, frame.byteLength)
    this.#open.push(request)
    request.start()
  }

  /** What came is not the protocol: this connection ends, and nobody else notices. */
  #refuse(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error
    this.services.protocolErrorCount.add()
    this.fail(error.message)
  }

  #checkPressure(): void {
    if (this.#isClosed || this.#isDraining) return
    const { limits, budget } = this.services
    const isFull =
      this.#inFlightBytes > limits.maxInFlightBytes ||
      this.#queue.length + this.#open.length > limits.maxInFlightCount ||
      (this.#inFlightBytes > 0 && budget.isExceeded) ||
      this.#isStarved
    if (isFull === this.#isPaused) return
    this.#isPaused = isFull
    if (isFull) this.#connection.pause()
    else this.#connection.resume()
  }

  /** The kernel took an answer: a peer that was slow may get the next one. */
  #wasSent(): void {
    if (this.#isClosed) return
    this.#pump()
    this.#checkPressure()
  }
}
