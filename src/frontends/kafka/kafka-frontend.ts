import { FramePool, Slab } from '../../base/frame-pool.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Meter } from '../../ports/meter.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import type { Connection, Listener, ListenOptions, Transport } from '../../ports/transport.ts'
import type { Api } from '../../wire/kafka/codec.ts'
import { OpenSessions } from '../open-sessions.ts'
import { Dispatcher } from './dispatcher.ts'
import type { ClientConnection, Endpoint, KafkaHandler } from './handler.ts'
import { unsupportedApiVersionsResponse } from './handlers/18-api-versions.ts'
import { MemoryBudget } from './memory-budget.ts'
import { KafkaSession, type SessionLimits, type SessionServices } from './session.ts'

export interface KafkaFrontendOptions {
  readonly transport: Transport
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly meter: Meter
  readonly limits: SessionLimits
  /** Request bytes in flight over all connections (`queued.max.request.bytes`). */
  readonly maxInFlightBytes: number
  /** Receive buffers kept for the next requests. */
  readonly maxKeptBytes: number
  /** `advertised.listeners`; null: the address each client connected to. */
  readonly advertised: Endpoint | null
  /** Given the list of all APIs served, which one of them answers. */
  readonly handlers: (apis: () => readonly Api[]) => readonly KafkaHandler[]
  /** A client is gone, and all that belongs to its connection with it. */
  readonly connectionClosed?: (connectionId: number) => void
}

/** As many bytes as one read may bring; what TCP has ready is rarely more. */
const SCRATCH_BYTES = 64 * 1024

/** Small requests share frames of this size. */
const SLAB_BYTES = 256 * 1024

const ANONYMOUS = 'User:ANONYMOUS'

/** The Kafka protocol: connections in, requests to the handlers, answers out. */
export class KafkaFrontend {
  readonly #options: KafkaFrontendOptions
  readonly #services: SessionServices
  readonly #sessions = new OpenSessions<KafkaSession>()
  #listener: Listener | null = null
  #nextConnectionId = 0

  constructor(options: KafkaFrontendOptions) {
    const { clock, logger, meter, limits } = options
    this.#options = options
    const dispatcher: Dispatcher = new Dispatcher(
      options.handlers(() => dispatcher.handlers.map(({ api }) => api)),
      meter,
    )
    const pool = new FramePool(options.maxKeptBytes)
    const budget = new MemoryBudget(options.maxInFlightBytes)
    const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
    this.#services = {
      dispatcher,
      memory: { scratch, slab: new Slab(pool, SLAB_BYTES), pool },
      budget,
      limits,
      clock,
      logger,
      protocolErrorCount: meter.counter(
        'kafka_protocol_errors_total',
        'Connections closed because what came was not a request that is served.',
      ),
      unsupportedVersionResponse: unsupportedApiVersionsResponse,
    }
    meter.gauge('kafka_connections', 'Open connections.', () => this.#sessions.size)
    meter.gauge('kafka_in_flight_bytes', 'Request bytes being served.', () => budget.usedBytes)
    meter.gauge('kafka_frames_bytes', 'Receive buffers in use.', () => pool.usedBytes)
  }

  /** @throws ConfigError when the address can't be used */
  async listen(options: ListenOptions): Promise<Endpoint> {
    const listener = await this.#options.transport.listen(options, (connection) =>
      this.#accept(connection),
    )
    this.#listener = listener
    return { host: listener.host, port: listener.port }
  }

  /**
   * Takes no new connections, serves the requests that came, and closes. What is not served after
   * `graceMs` is cut.
   */
  async stop(graceMs: number): Promise<void> {
    const listener = this.#listener
    if (listener === null) return
    this.#listener = null
    await this.#sessions.close(listener, this.#options.scheduler, graceMs)
  }

  #gone(session: KafkaSession): void {
    this.#options.connectionClosed?.(session.client.id)
    this.#sessions.gone(session)
  }

  #accept(connection: Connection): KafkaSession {
    const session = new KafkaSession(connection, this.#clientOf(connection), this.#services, () =>
      this.#gone(session),
    )
    this.#sessions.add(session)
    return session
  }

  #clientOf({ remoteAddress, localAddress, localPort }: Connection): ClientConnection {
    return {
      id: this.#nextConnectionId++,
      remoteAddress,
      advertised: this.#options.advertised ?? { host: localAddress, port: localPort },
      principal: ANONYMOUS,
      softwareName: 'unknown',
      softwareVersion: 'unknown',
    }
  }
}
