import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Meter } from '../../ports/meter.ts'
import type { Random } from '../../ports/random.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { Connection, Listener, ListenOptions, Transport } from '../../ports/transport.ts'
import { ErrorText } from '../../wire/nats/error-text.ts'
import type { ServerInfo } from '../../wire/nats/server-text.ts'
import type { Account } from './account.ts'
import { Accounts } from './accounts.ts'
import { Authenticator, type AuthenticatorPorts } from './auth/authenticator.ts'
import type { ConnectionKind, SecuritySettings } from './auth/security-settings.ts'
import { NatsHub } from './nats-hub.ts'
import { meterSessions } from './nats-meters.ts'
import type { NatsLimits, NatsServices } from './nats-services.ts'
import { NatsSession } from './nats-session.ts'
import {
  describeServer,
  describeTls,
  NO_TLS,
  newNonce,
  newServerId,
  type TlsDemands,
} from './server-description.ts'
import { SharedSubjects } from './shared-subjects.ts'

export interface NatsFrontendOptions extends AuthenticatorPorts {
  readonly scheduler: Scheduler
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  readonly limits: NatsLimits
  readonly security: SecuritySettings
  readonly serverName: string
}

/** A port that clients come to. */
export interface NatsPort {
  readonly transport: Transport
  readonly options: ListenOptions
  readonly kind: ConnectionKind
  readonly tls?: TlsDemands
}

/** How often silent and slow clients are looked for. */
const TICK_MS = 1000

/** Connections beyond the limit that are told so at one time. */
const REFUSED_COUNT = 64

/** The NATS protocol: connections in, messages from each to whoever listens. */
export class NatsFrontend {
  readonly serverId: string
  readonly serverName: string
  readonly accounts: Accounts
  /** Clients that came, ever. */
  connectionTotal = 0
  slowConsumerTotal = 0
  /** Clients at one time, for all ports. */
  maxConnections = Number.POSITIVE_INFINITY
  /** Messages may have headers. */
  allowsHeaders = true
  readonly #options: NatsFrontendOptions
  readonly #services: NatsServices
  readonly #limits: NatsLimits
  readonly #shared: SharedSubjects
  readonly #sessions = new Set<NatsSession>()
  readonly #listeners: Listener[] = []
  readonly #hooks = {
    connected: (session: NatsSession) => this.onConnected?.(session),
    gone: (session: NatsSession) => this.#gone(session),
  }
  /** Told of clients that said who they are. */
  onConnected: ((session: NatsSession) => void) | null = null
  /** Told of clients that are gone. */
  onGone: ((session: NatsSession) => void) | null = null
  /** Which server says something, in what it tells of itself. */
  serverHead: () => object = () => ({ name: this.serverName, id: this.serverId })
  #whenEmpty: (() => void) | null = null
  #tick: Timer | null = null
  #infoChanges: Partial<ServerInfo> = {}

  constructor(options: NatsFrontendOptions) {
    const { meter, logger, scheduler, clock, random, security } = options
    this.#options = options
    this.#limits = { ...options.limits }
    this.serverId = newServerId(random)
    this.serverName = options.serverName
    const hub = new NatsHub(random)
    this.accounts = new Accounts(hub, random, scheduler)
    this.#shared = new SharedSubjects(this.accounts, options)
    this.#shared.apply(security)
    const slowConsumers = meter.counter(
      'nats_slow_consumers_total',
      'Connections closed because they did not take what they were sent.',
    )
    this.#services = {
      hub,
      authenticator: new Authenticator(security, this.accounts, options),
      limits: this.#limits,
      logger,
      clock,
      scheduler,
      slowConsumerCount: {
        add: () => {
          this.slowConsumerTotal++
          slowConsumers.add()
        },
      },
      protocolErrorCount: meter.counter(
        'nats_protocol_errors_total',
        'Connections closed because what came was not the protocol.',
      ),
      serverHead: () => this.serverHead(),
    }
    meterSessions(meter, this.#sessions, this.accounts)
  }

  get sessions(): Iterable<NatsSession> {
    return this.#sessions
  }

  get limits(): NatsLimits {
    return this.#limits
  }

  get authenticator(): Authenticator {
    return this.#services.authenticator
  }

  /** @throws ConfigError when the address can't be used */
  async listen(port: NatsPort): Promise<{ host: string; port: number }> {
    const { options } = port
    const maxConnections = options.maxConnections + REFUSED_COUNT
    const listener = await port.transport.listen({ ...options, maxConnections }, (connection) =>
      this.#accept(connection, port),
    )
    this.#listeners.push(listener)
    if (this.#tick === null) this.#scheduleTick()
    return { host: listener.host, port: listener.port }
  }

  /** Other users, and other limits: clients that may not stay are closed. */
  reload(security: SecuritySettings, limits: Partial<NatsLimits>): void {
    Object.assign(this.#limits, limits)
    this.#shared.apply(security)
    this.#services.authenticator = new Authenticator(security, this.accounts, this.#options)
    for (const session of [...this.#sessions]) session.recheck()
    this.#dismissSurplus()
  }

  /** Those that came first stay. */
  #dismissSurplus(): void {
    const countOf = new Map<Account, number>()
    let count = 0
    for (const session of this.#sessions) {
      const { identity } = session
      if (identity === null || session.isEnding) continue
      const { account, maxAccountConnections } = identity
      const accountCount = (countOf.get(account) ?? 0) + 1
      const isAccountFull = maxAccountConnections >= 0 && accountCount > maxAccountConnections
      if (count >= this.maxConnections) session.dismiss(ErrorText.MAX_CONNECTIONS)
      else if (isAccountFull) session.dismiss(ErrorText.MAX_ACCOUNT_CONNECTIONS)
      else {
        count++
        countOf.set(account, accountCount)
      }
    }
    this.#services.hub.flush(null)
  }

  /** What INFO says of the server has changed: new clients hear it, and those there are. */
  tellAll(changes: Partial<ServerInfo>): void {
    this.#infoChanges = { ...this.#infoChanges, ...changes }
    for (const session of this.#sessions) session.tell(changes)
    this.#services.hub.flush(null)
  }

  /** Takes no new connections; those there are stay. */
  async stopAccepting(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stopAccepting()))
  }

  /** Takes no new connections, tells the clients, sends what there is, and closes. */
  async stop(graceMs: number): Promise<void> {
    this.#tick?.cancel()
    const listeners = this.#listeners.splice(0)
    const stopped = listeners.map((listener) => listener.stopAccepting())
    for (const session of [...this.#sessions]) session.drain()
    await this.#allGone(graceMs)
    await Promise.all([...stopped, ...listeners.map((listener) => listener.close())])
  }

  /**
   * Resolves when the last session is gone, or the time is up. It is told rather than looking again:
   * timers keep no process alive, and once the sockets are closed nothing else of it may.
   */
  #allGone(graceMs: number): Promise<void> {
    if (this.#sessions.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#options.scheduler.after(graceMs, resolve)
      this.#whenEmpty = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #scheduleTick(): void {
    this.#tick = this.#options.scheduler.after(TICK_MS, () => {
      for (const session of this.#sessions) session.passed(TICK_MS)
      this.#services.hub.flush(null)
      this.#scheduleTick()
    })
  }

  #accept(connection: Connection, port: NatsPort): NatsSession {
    const { kind, tls = NO_TLS, options } = port
    const info = this.#infoFor(connection, port)
    const origin = { connection, kind, requiresTls: tls.isRequired, info }
    const session = new NatsSession(origin, this.#services, this.#hooks)
    this.#sessions.add(session)
    const isTooMany = this.#sessions.size > Math.min(options.maxConnections, this.maxConnections)
    // The transport is ready for writes once it has the session.
    this.#options.scheduler.endOfTurn(() => {
      if (isTooMany) session.refuseConnection()
      else session.start()
    })
    return session
  }

  #gone(session: NatsSession): void {
    this.#sessions.delete(session)
    this.onGone?.(session)
    if (this.#sessions.size === 0) this.#whenEmpty?.()
  }

  #infoFor(connection: Connection, { options, tls = NO_TLS }: NatsPort): ServerInfo {
    const { authenticator } = this.#services
    return {
      ...describeServer(this.serverId, this.serverName),
      host: options.host,
      port: connection.localPort,
      headers: this.allowsHeaders,
      max_payload: this.#limits.maxPayloadBytes,
      client_id: ++this.connectionTotal,
      client_ip: connection.remoteAddress,
      ...(authenticator.isRequired && { auth_required: true }),
      ...(authenticator.needsNonce && { nonce: newNonce(this.#options.random) }),
      ...describeTls(tls, connection),
      ...this.#infoChanges,
    }
  }
}
