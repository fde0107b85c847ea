import { availableParallelism } from 'node:os'
import { isBcryptOf } from '../../adapters/bcrypt-hashes.ts'
import { HttpUpgradeTransport, type UpgradablePort } from '../../adapters/http-upgrade-transport.ts'
import { listenError } from '../../adapters/listen-error.ts'
import { NodeTransport } from '../../adapters/node-transport.ts'
import { SystemRandom } from '../../adapters/system-random.ts'
import { TlsSockets } from '../../adapters/tls-sockets.ts'
import { WebSocketTransport } from '../../adapters/web-socket-transport.ts'
import { JETSTREAM_API_LEVEL } from '../../frontends/nats/jetstream/jetstream.ts'
import { JetStreamOverview } from '../../frontends/nats/monitor/jetstream-pages.ts'
import { NatsMonitor } from '../../frontends/nats/monitor/nats-monitor.ts'
import { NatsFrontend } from '../../frontends/nats/nats-frontend.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Meter } from '../../ports/meter.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { ListenOptions } from '../../ports/transport.ts'
import { describeAddressInUse } from '../address-owner.ts'
import type { JetStreamServices } from '../jetstream-services.ts'
import type { ListenAddress } from '../listen-address.ts'
import { JetStreamAccounts } from './jetstream-accounts.ts'
import type { NatsSettings } from './nats-settings.ts'

export interface NatsServerPorts {
  /** null: streams are not served. */
  readonly jetStream: JetStreamServices | null
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly meter: Meter
}

/** What holds for connections of all listeners. */
export type CommonListenOptions = Omit<ListenOptions, 'host' | 'port' | 'idleTimeoutMs'>

/** Closing all clients at once would make them come back at once, so it is spread over this many steps. */
const LAME_DUCK_STEPS = 100

/** Silent clients are asked whether they are there. */
const NEVER_IDLE = -1

/** The NATS side of a broker: its ports, and what can be asked and told while it runs. */
export class NatsServer {
  readonly frontend: NatsFrontend
  address: ListenAddress = { host: '', port: 0 }
  webSocketAddress: ListenAddress | null = null
  monitorAddress: ListenAddress | null = null
  readonly #ports: NatsServerPorts
  #settings: NatsSettings
  readonly #monitor: NatsMonitor
  readonly #jetStreams: JetStreamAccounts | null
  readonly #overview: JetStreamOverview | null
  #tls: TlsSockets | null = null
  #timer: Timer | null = null

  private constructor(settings: NatsSettings, ports: NatsServerPorts) {
    this.#settings = settings
    this.#ports = ports
    const random = new SystemRandom()
    this.frontend = new NatsFrontend({ ...ports, ...settings, random, isHashOf: isBcryptOf })
    this.#jetStreams = ports.jetStream === null ? null : this.#serveStreams(ports.jetStream)
    const jetStreams = this.#jetStreams
    this.#overview =
      jetStreams === null ? null : new JetStreamOverview(() => jetStreams.all(), settings.jetStream)
    this.frontend.maxConnections = settings.maxConnections
    this.frontend.allowsHeaders = settings.allowsHeaders
    const startedAtMs = ports.clock.nowMs()
    const cpuPercent = cpuMeter(ports.clock)
    this.#monitor = new NatsMonitor(this.frontend, () => ({
      frontend: this.frontend,
      startedAtMs,
      nowMs: ports.clock.nowMs(),
      memoryBytes: process.memoryUsage.rss(),
      cpuPercent: cpuPercent(),
      coreCount: availableParallelism(),
      ...this.address,
      maxConnections: this.#settings.maxConnections,
      httpHost: this.monitorAddress?.host ?? '',
      httpPort: this.monitorAddress?.port ?? 0,
      tlsRequired: this.#settings.tls !== null && !this.#settings.allowsClear,
      tlsVerify: this.#settings.tls?.verifiesClients === true,
      jetStream: this.#overview,
    }))
  }

  /** @throws ConfigError when an address can't be used, or a certificate */
  static async start(
    settings: NatsSettings,
    ports: NatsServerPorts,
    common: CommonListenOptions,
  ): Promise<NatsServer> {
    const server = new NatsServer(settings, ports)
    try {
      await server.#jetStreams?.apply(settings.security)
      await server.#listen(common)
    } catch (error) {
      await server.stop(0)
      throw error
    }
    return server
  }

  /** Reads again what can change while it runs: users, accounts, limits, certificates. */
  reload(settings: NatsSettings): void {
    this.#settings = settings
    this.frontend.maxConnections = settings.maxConnections
    if (settings.tls !== null) this.#tls?.replace(settings.tls)
    this.frontend.reload(settings.security, settings.limits)
    this.#monitor.accountsChanged()
    this.#jetStreams?.apply(settings.security).catch((error: unknown) => {
      this.#ports.logger.error('streams of an account can not be read', { error })
    })
  }

  /** Takes clients by WebSocket on an HTTP port, unless they have to use TLS, which it has not. */
  async listenOn(port: UpgradablePort, common: CommonListenOptions): Promise<void> {
    if (this.#settings.tls !== null && !this.#settings.allowsClear) return
    const transport = new HttpUpgradeTransport({ logger: this.#ports.logger, port })
    const options = { ...common, ...port.address, idleTimeoutMs: NEVER_IDLE }
    await this.frontend.listen({ transport, options, kind: 'WEBSOCKET' })
  }

  /** Tells the clients to go elsewhere, and closes them one after the other. */
  async enterLameDuck(closed: () => void): Promise<void> {
    const { lameDuckDurationMs, lameDuckGraceMs } = this.#settings
    await this.frontend.stopAccepting()
    this.frontend.tellAll({ ldm: true })
    const { scheduler } = this.#ports
    const stepMs = Math.max((lameDuckDurationMs - lameDuckGraceMs) / LAME_DUCK_STEPS, 1)
    const closeSome = (left: number): void => {
      const sessions = [...this.frontend.sessions]
      if (sessions.length === 0) {
        closed()
        return
      }
      const count = Math.ceil(sessions.length / Math.max(left, 1))
      for (const session of sessions.slice(0, count)) session.drain()
      this.#timer = scheduler.after(stepMs, () => closeSome(left - 1))
    }
    this.#timer = scheduler.after(lameDuckGraceMs, () => closeSome(LAME_DUCK_STEPS))
  }

  async stop(graceMs: number): Promise<void> {
    this.#timer?.cancel()
    this.#monitor.close()
    // Who waits for messages is told before the connection ends.
    this.#jetStreams?.close()
    await this.frontend.stop(graceMs)
  }

  #serveStreams(services: JetStreamServices): JetStreamAccounts {
    const { accounts } = this.frontend
    const settings = this.#settings.jetStream
    const served = new JetStreamAccounts(accounts, services, settings, this.#ports)
    const { domain } = settings
    const level = JETSTREAM_API_LEVEL
    this.frontend.tellAll({ jetstream: true, api_lvl: level, ...(domain !== '' && { domain }) })
    return served
  }

  async #listen(common: CommonListenOptions): Promise<void> {
    const { logger } = this.#ports
    const settings = this.#settings
    const rest = { ...common, idleTimeoutMs: NEVER_IDLE }
    const options = { ...rest, ...settings.address }
    const { tls } = settings
    if (tls !== null) this.#tls = new TlsSockets(tls, logger)
    const transport = new NodeTransport({
      logger,
      describeAddressInUse,
      ...(this.#tls !== null && { tls: this.#tls }),
    })
    const demands = {
      isRequired: tls !== null && !settings.allowsClear,
      isAvailable: tls !== null && settings.allowsClear,
      verifies: tls?.verifiesClients === true,
    }
    this.address = await this.frontend.listen({
      transport,
      options,
      kind: 'STANDARD',
      tls: demands,
    })
    this.webSocketAddress = await this.#listenWebSocket(rest)
    const { monitor } = settings
    if (monitor !== null) {
      const address = { ...monitor }
      this.monitorAddress = await this.#monitor.listen(address).catch((error: unknown) => {
        throw listenError(error as Error, address.host, address.port, describeAddressInUse)
      })
    }
  }

  async #listenWebSocket(
    rest: Omit<ListenOptions, 'host' | 'port'>,
  ): Promise<ListenAddress | null> {
    const { webSocket } = this.#settings
    if (webSocket === null) return null
    const { logger } = this.#ports
    const transport = new WebSocketTransport({ ...webSocket, logger, describeAddressInUse })
    const options = { ...rest, ...webSocket.address }
    return await this.frontend.listen({ transport, options, kind: 'WEBSOCKET' })
  }
}

/** Part of a core that this process used since the last call, in percent. */
function cpuMeter(clock: Clock): () => number {
  let lastMs = clock.monotonicMs()
  let lastUsage = process.cpuUsage()
  return () => {
    const nowMs = clock.monotonicMs()
    const usage = process.cpuUsage()
    const usedMs = (usage.user + usage.system - lastUsage.user - lastUsage.system) / 1000
    const percent = (100 * usedMs) / Math.max(nowMs - lastMs, 1)
    lastMs = nowMs
    lastUsage = usage
    return percent
  }
}
