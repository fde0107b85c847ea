import { assert } from '../../base/assert.ts'
import { AssertionError } from '../../base/errors.ts'
import type { Lease } from '../../base/lease.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { DecodedRequest, Dispatcher } from './dispatcher.ts'
import type { ClientConnection, Exchange } from './handler.ts'
import type { MemoryBudget } from './memory-budget.ts'

/** Produce requests may overlap: appends keep their order, and so do the answers. */
export const PRODUCE_KEY = 0

/** The connection a request came on. */
export interface RequestOwner {
  readonly client: ClientConnection
  readonly isClosed: boolean
  readonly services: RequestServices
  /** An answer is ready: what may leave, leaves. */
  flush(): void
  /** Closes the connection. */
  fail(reason: string): void
}

export interface RequestServices {
  readonly dispatcher: Dispatcher
  readonly budget: MemoryBudget
  readonly clock: Clock
  readonly logger: Logger
  /** The ApiVersions answer, in version 0, to a version we lack. */
  readonly unsupportedVersionResponse: () => unknown
}

/** A request from its first byte read to its answer. */
export class ServedRequest implements Exchange {
  readonly client: ClientConnection
  readonly frameBytes: number
  readonly lease: Lease
  readonly isProduce: boolean
  isAnswered = false
  pieces: Buffer[] | null = null
  sent: (() => void) | null = null
  readonly #owner: RequestOwner
  readonly #decoded: DecodedRequest
  readonly #startMs: number
  #whenClosed: (() => void) | null = null

  constructor(owner: RequestOwner, decoded: DecodedRequest, lease: Lease, frameBytes: number) {
    this.#owner = owner
    this.#decoded = decoded
    this.client = owner.client
    this.lease = lease
    this.frameBytes = frameBytes
    this.isProduce = decoded.header.requestApiKey === PRODUCE_KEY
    this.#startMs = owner.services.clock.monotonicMs()
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
    return this.#owner.isClosed
  }

  start(): void {
    const { route, body, isUnsupportedVersion } = this.#decoded
    route.requestCount.add()
    if (isUnsupportedVersion) {
      this.respond(this.#owner.services.unsupportedVersionResponse())
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
    if (this.#owner.isClosed) {
      sent?.()
      return
    }
    const { route } = this.#decoded
    const owner = this.#owner
    this.sent = sent ?? null
    try {
      this.pieces = this.#encode(response)
    } catch (error) {
      this.#failed(error)
      return
    }
    route.durationMs.record(this.#owner.services.clock.monotonicMs() - this.#startMs)
    owner.flush()
  }

  respondNothing(): void {
    assert(!this.isAnswered, 'a request is answered once')
    this.isAnswered = true
    this.#owner.flush()
  }

  closeConnection(reason: string): void {
    this.isAnswered = true
    this.#owner.fail(reason)
  }

  onClose(task: () => void): void {
    if (this.isClosed) task()
    else this.#whenClosed = task
  }

  /** The connection is gone: nobody will read the answer. */
  abandon(): void {
    this.lease.release()
    this.#owner.services.budget.remove(this.frameBytes)
    if (this.isAnswered) this.sent?.()
    this.#whenClosed?.()
    this.#whenClosed = null
  }

  #encode(response: unknown): Buffer[] {
    const { dispatcher } = this.#owner.services
    return dispatcher.encode(this.#decoded.route, this.apiVersion, this.correlationId, response)
  }

  /** No response of this API can say what went wrong here, so the connection says it. */
  #failed(error: unknown): void {
    if (error instanceof AssertionError) throw error
    const { logger } = this.#owner.services
    logger.error('request failed', { api: this.#decoded.route.handler.api.name, error })
    if (!this.#owner.isClosed) this.#owner.fail('the request failed in the broker')
  }
}
