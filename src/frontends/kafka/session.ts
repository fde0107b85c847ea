import { assert } from '../../base/assert.ts'
import { AssertionError, ProtocolError } from '../../base/errors.ts'
import type { Lease } from '../../base/lease.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Counter } from '../../ports/meter.ts'
import type { Connection, StreamSession } from '../../ports/transport.ts'
import type { DecodedRequest, Dispatcher, Route } from './dispatcher.ts'
import { FrameReceiver, type ReceiveMemory } from './frame-receiver.ts'
import type { ClientConnection, Exchange } from './handler.ts'
import type { MemoryBudget } from './memory-budget.ts'

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
export interface SessionServices {
  readonly dispatcher: Dispatcher
  readonly memory: ReceiveMemory
  readonly budget: MemoryBudget
  readonly limits: SessionLimits
  readonly clock: Clock
  readonly logger: Logger
  readonly protocolErrorCount: Counter
  /** The ApiVersions answer, in version 0, to a version we lack. */
  readonly unsupportedVersionResponse: () => unknown
}

interface QueuedFrame {
  readonly frame: Buffer
  readonly lease: Lease
}

/** Produce requests may overlap: appends keep their order, and so do the answers. */
const PRODUCE_KEY = 0

/**
 * One Kafka connection, without any I/O of its own: bytes in, pieces out. Requests are served one
 * after the other, as Kafka does, except that Produce follows Produce without waiting for the disk.
 * Answers leave in request order. Everything it holds is bounded: it pauses the connection when its
 * peer sends more than is served or reads less than is answered.
 */
export class KafkaSession implements StreamSession {
  readonly client: ClientConnection
  readonly #connection: Connection
  readonly #services: SessionServices
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
    this.#services.budget.add(this.#receiver.reserveLater())
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
    this.#services = services
    this.#receiver = new FrameReceiver(services.memory, this)
  }

  /** No request is waiting or being served, and everything was sent. */
  get isIdle(): boolean {
    return this.#open.length === 0 && this.#queue.length === 0 && this.#connection.unsentBytes === 0
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
    this.#services.budget.forget(this)
    this.#gone()
  }

  /** Serves what came, then closes: the broker stops. */
  drain(): void {
    this.#isDraining = true
    this.#connection.pause()
    if (this.isIdle) this.#connection.end()
  }

  checkFrame(byteCount: number, apiKey: number): void {
    const { limits, dispatcher } = this.#services
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
    const { budget } = this.#services
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
    this.#services.budget.remove(byteCount)
  }

  frameReceived(frame: Buffer, lease: Lease, isReserved: boolean): void {
    if (!isReserved) this.#services.budget.add(frame.byteLength)
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
      if (request.pieces !== null) this.#connection.write(request.pieces, request.sent)
      this.#forget(request.frameBytes, request.lease)
    }
    this.#pump()
    this.#checkPressure()
    if (this.#isDraining && this.#open.length === 0) this.#connection.end()
  }

  fail(reason: string): void {
    this.#services.logger.info('connection closed', {
      address: this.client.remoteAddress,
      reason,
    })
    this.#connection.destroy()
    this.closed()
  }

  #forget(byteCount: number, lease: Lease): void {
    this.#inFlightBytes -= byteCount
    this.#services.budget.remove(byteCount)
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
    if (this.#connection.unsentBytes > this.#services.limits.maxUnsentBytes) return false
    const last = this.#open[this.#open.length - 1]
    return last === undefined || (last.isProduce && frame.readInt16BE(0) === PRODUCE_KEY)
  }

  #serve({ frame, lease }: QueuedFrame): void {
    const { dispatcher } = this.#services
    let decoded: DecodedRequest
    try {
      decoded = dispatcher.decode(frame)
    } catch (error) {
      this.#forget(frame.byteLength, lease)
      this.#refuse(error)
      return
    }
    const request = new ServedRequest(this, this.#services, decoded, lease, frame.byteLength)
    this.#open.push(request)
    request.start()
  }

  /** What came is not the protocol: this connection ends, and nobody else notices. */
  #refuse(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error
    this.#services.protocolErrorCount.add()
    this.fail(error.message)
  }

  #checkPressure(): void {
    if (this.#isClosed || this.#isDraining) return
    const { limits, budget } = this.#services
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
  wasSent(): void {
    if (this.#isClosed) return
    this.#pump()
    this.#checkPressure()
  }
}

/** A request from its first byte read to its answer. */
class ServedRequest implements Exchange {
  readonly client: ClientConnection
  readonly frameBytes: number
  readonly lease: Lease
  readonly isProduce: boolean
  isAnswered = false
  pieces: Buffer[] | null = null
  sent: (() => void) | null = null
  readonly #session: KafkaSession
  readonly #services: SessionServices
  readonly #decoded: DecodedRequest
  readonly #startMs: number
  #whenClosed: (() => void) | null = null

  constructor(
    session: KafkaSession,
    services: SessionServices,
    decoded: DecodedRequest,
    lease: Lease,
    frameBytes: number,
  ) {
    this.#session = session
    this.#services = services
    this.#decoded = decoded
    this.client = session.client
    this.lease = lease
    this.frameBytes = frameBytes
    this.isProduce = decoded.header.requestApiKey === PRODUCE_KEY
    this.#startMs = services.clock.monotonicMs()
  }

  get apiKey(): number {
    return this.#decoded.header.requestApiKey
  }

  get apiVersion(): number {
    return this.#decoded.header.requestApiVersion
  }

  get correlationId(): number {
    return this.#decoded.header.correlationId
  }

  get clientId(): string | null {
    return this.#decoded.header.clientId
  }

  get connection(): ClientConnection {
    return this.client
  }

  get isClosed(): boolean {
    return this.#session.isClosed
  }

  start(): void {
    const { route, body, isUnsupportedVersion } = this.#decoded
    route.requestCount.add()
    if (isUnsupportedVersion) {
      this.respond(this.#services.unsupportedVersionResponse())
      return
    }
    let result: unknown
    try {
      result = route.handler.handle(body, this)
    } catch (error) {
      this.#failed(error)
      return
    }
    if (result === undefined) return
    if (result instanceof Promise) {
      result.then(
        (response) => this.respond(response),
        (error) => this.#failed(error),
      )
    } else {
      this.respond(result)
    }
  }

  respond(response: unknown, sent?: () => void): void {
    assert(!this.isAnswered, 'a request is answered once')
    this.isAnswered = true
    if (this.#session.isClosed) {
      sent?.()
      return
    }
    const { route } = this.#decoded
    const session = this.#session
    this.sent = (): void => {
      sent?.()
      session.wasSent()
    }
    try {
      this.pieces = this.#encode(route, response)
    } catch (error) {
      this.#failed(error)
      return
    }
    route.durationMs.record(this.#services.clock.monotonicMs() - this.#startMs)
    session.flush()
  }

  respondNothing(): void {
    assert(!this.isAnswered, 'a request is answered once')
    this.isAnswered = true
    this.#session.flush()
  }

  closeConnection(reason: string): void {
    this.isAnswered = true
    this.#session.fail(reason)
  }

  onClose(task: () => void): void {
    if (this.isClosed) task()
    else this.#whenClosed = task
  }

  /** The connection is gone: nobody will read the answer. */
  abandon(): void {
    this.lease.release()
    this.#services.budget.remove(this.frameBytes)
    if (this.isAnswered) this.sent?.()
    this.#whenClosed?.()
    this.#whenClosed = null
  }

  #encode(route: Route, response: unknown): Buffer[] {
    return this.#services.dispatcher.encode(route, this.apiVersion, this.correlationId, response)
  }

  /** No response of this API can say what went wrong here, so the connection says it. */
  #failed(error: unknown): void {
    if (error instanceof AssertionError) throw error
    const { logger } = this.#services
    logger.error('request failed', { api: this.#decoded.route.handler.api.name, error })
    if (!this.#session.isClosed) this.#session.fail('the request failed in the broker')
  }
}
