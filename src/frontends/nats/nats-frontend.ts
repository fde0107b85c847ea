import type { Logger } from '../../ports/logger.ts'
import type { Meter } from '../../ports/meter.ts'
import type { Random } from '../../ports/random.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { Connection, Listener, ListenOptions, Transport } from '../../ports/transport.ts'
import type { ServerInfo } from '../../wire/nats/server-text.ts'
import { OpenSessions } from '../open-sessions.ts'
import { GLOBAL_ACCOUNT } from './account.ts'
import { Accounts } from './accounts.ts'
import { NatsHub } from './nats-hub.ts'
import { type NatsLimits, type NatsServices, NatsSession } from './nats-session.ts'

export interface NatsFrontendOptions {
  readonly transport: Transport
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  readonly limits: NatsLimits
}

/** The nats-server whose features clients may expect. */
const NATS_VERSION = '2.12.0'

/** As many bytes as one read may bring. */
const SCRATCH_BYTES = 64 * 1024

/** How often silent and slow clients are looked for. */
const TICK_MS = 1000

/** Connections beyond the limit that are told so at one time. */
const REFUSED_COUNT = 64

/** Source: a server is named by an nkey, which is 56 characters of base32 and begins with N. */
const SERVER_ID_LENGTH = 56
const BASE_32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The NATS protocol: connections in, messages from each to whoever listens. */
export class NatsFrontend {
  readonly #options: NatsFrontendOptions
  readonly #services: NatsServices
  readonly #sessions = new OpenSessions<NatsSession>()
  readonly #serverId: string
  #listener: Listener | null = null
  #maxConnections = 0
  #host = ''
  #nextClientId = 1
  #tick: Timer | null = null

  constructor(options: NatsFrontendOptions) {
    const { meter, limits, logger, scheduler, random } = options
    this.#options = options
    this.#serverId = newServerId(random)
    const hub = new NatsHub(random)
    const accounts = new Accounts(hub, random)
    const globalAccount = accounts.get(GLOBAL_ACCOUNT)
    this.#services = {
      hub,
      globalAccount,
      limits,
      logger,
      scheduler,
      scratch: Buffer.allocUnsafeSlow(SCRATCH_BYTES),
      slowConsumerCount: meter.counter(
        'nats_slow_consumers_total',
        'Connections closed because they did not take what they were sent.',
      ),
      protocolErrorCount: meter.counter(
        'nats_protocol_errors_total',
        'Connections closed because what came was not the protocol.',
      ),
    }
    meter.gauge('nats_connections', 'Open connections.', () => this.#sessions.size)
    meter.gauge('nats_subscriptions', 'Subscriptions of all clients.', () => {
      let count = 0
      for (const { router } of accounts) count += router.count
      return count
    })
    const { counts } = hub
    meter.gauge('nats_received_messages', 'Published since start.', () => counts.receivedMessages)
    meter.gauge('nats_received_bytes', 'Published since start.', () => counts.receivedBytes)
    meter.gauge('nats_sent_messages', 'Delivered since start.', () => counts.sentMessages)
    meter.gauge('nats_sent_bytes', 'Delivered since start.', () => counts.sentBytes)
  }

  /** @throws ConfigError when the address can't be used */
  async listen(options: ListenOptions): Promise<{ host: string; port: number }> {
    this.#maxConnections = options.maxConnections
    this.#host = options.host
    const maxConnections = options.maxConnections + REFUSED_COUNT
    const listener = await this.#options.transport.listen(
      { ...options, maxConnections },
      (connection) => this.#accept(connection),
    )
    this.#listener = listener
    this.#scheduleTick()
    return { host: listener.host, port: listener.port }
  }

  /** Takes no new connections, tells the clients, sends what there is, and closes. */
  async stop(graceMs: number): Promise<void> {
    const listener = this.#listener
    if (listener === null) return
    this.#listener = null
    this.#tick?.cancel()
    await this.#sessions.close(listener, this.#options.scheduler, graceMs)
  }

  #scheduleTick(): void {
    this.#tick = this.#options.scheduler.after(TICK_MS, () => {
      for (const session of this.#sessions) session.passed(TICK_MS)
      this.#services.hub.flush(null)
      this.#scheduleTick()
    })
  }

  #accept(connection: Connection): NatsSession {
    const session: NatsSession = new NatsSession(
      connection,
      this.#infoFor(connection),
      this.#services,
      () => this.#sessions.gone(session),
    )
    this.#sessions.add(session)
    const isTooMany = this.#sessions.size > this.#maxConnections
    // The transport is ready for writes once it has the session.
    this.#options.scheduler.endOfTurn(() => {
      if (isTooMany) session.refuseConnection()
      else session.start()
    })
    return session
  }

  #infoFor({ remoteAddress, localPort }: Connection): ServerInfo {
    return {
      server_id: this.#serverId,
      server_name: 'spool',
      version: NATS_VERSION,
      proto: 1,
      git_commit: 'spool',
      go: 'node',
      host: this.#host,
      port: localPort,
      headers: true,
      max_payload: this.#services.limits.maxPayloadBytes,
      client_id: this.#nextClientId++,
      client_ip: remoteAddress,
    }
  }
}

function newServerId(random: Random): string {
  let id = 'N'
  while (id.length < SERVER_ID_LENGTH) id += BASE_32[random.int(BASE_32.length)]
  return id
}
