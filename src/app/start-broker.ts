import { statfsSync } from 'node:fs'
import { ConnectionCounts } from '../adapters/connection-counts.ts'
import { NodeFileSystem } from '../adapters/node-file-system.ts'
import { NodeTransport } from '../adapters/node-transport.ts'
import { PrometheusMeter } from '../adapters/prometheus-meter.ts'
import { SystemClock } from '../adapters/system-clock.ts'
import { SystemRandom } from '../adapters/system-random.ts'
import { SystemScheduler } from '../adapters/system-scheduler.ts'
import { HttpFrontend } from '../frontends/http/http-frontend.ts'
import { FetchSessions } from '../frontends/kafka/fetch-session.ts'
import { KafkaFrontend } from '../frontends/kafka/kafka-frontend.ts'
import type { FileSystem } from '../ports/file-system.ts'
import type { Logger } from '../ports/logger.ts'
import { describeAddressInUse } from './address-owner.ts'
import { BrokerCore } from './broker-core.ts'
import type { BrokerSettings } from './broker-settings.ts'
import { kafkaHandlers } from './kafka-handlers.ts'
import type { ListenAddress } from './listen-address.ts'
import { NatsServer } from './nats-server/nats-server.ts'
import { type NatsSettings, natsSettingsOf } from './nats-server/nats-settings.ts'
import { WorkerSegmentCleaner } from './worker-segment-cleaner.ts'

export interface StartOptions {
  readonly settings: BrokerSettings
  readonly logger: Logger
  /** The NATS ports, where more is to be said of them than an address. */
  readonly nats?: NatsSettings
  /** Where the data is; by default the disk. */
  readonly fs?: FileSystem
}

export interface RunningBroker {
  readonly core: BrokerCore
  /** Where it listens, with the port that was free if 0 was asked. */
  readonly kafka: ListenAddress
  readonly http: ListenAddress | null
  readonly nats: ListenAddress | null
  readonly natsServer: NatsServer | null
  /** Serves what came, then stops with all data safe. Calling it again waits for the same stop. */
  stop(): Promise<void>
}

/** Requests of one connection that are read ahead; Java clients have 5 in flight. */
const MAX_IN_FLIGHT_COUNT = 64

/** How long requests that came may take once the broker stops. */
const DRAIN_MS = 5_000

/** Part of the request memory that stays allocated for the next requests. */
const KEPT_PART = 1 / 8

/**
 * Starts a broker: the one place where all parts are put together.
 * @throws ConfigError, StorageError as `BrokerCore.open`; ConfigError when it can't listen
 */
export async function startBroker(options: StartOptions): Promise<RunningBroker> {
  const { settings, logger } = options
  const meter = new PrometheusMeter()
  const core = await BrokerCore.open({
    ...settings,
    logger,
    meter,
    fs: options.fs ?? new NodeFileSystem(),
    clock: new SystemClock(),
    scheduler: new SystemScheduler(),
    random: new SystemRandom(),
    // Another thread has the disk, but not the memory of this one.
    ...(options.fs === undefined && { segmentCleaner: new WorkerSegmentCleaner() }),
  })
  let kafkaFrontend: KafkaFrontend | undefined
  let httpFrontend: HttpFrontend | undefined
  let natsServer: NatsServer | null = null
  const stop = async (): Promise<void> => {
    // Timers of the scheduler keep no process alive, and this one must not end before its files are whole.
    const alive = setInterval(() => undefined, DRAIN_MS)
    try {
      await natsServer?.stop(DRAIN_MS)
      await httpFrontend?.stop()
      await kafkaFrontend?.stop(DRAIN_MS)
      await core.close()
    } finally {
      clearInterval(alive)
    }
  }
  try {
    kafkaFrontend = makeKafkaFrontend(core, options, meter)
    const limits = sharedLimitsOf(settings)
    const idleTimeoutMs = settings.config.getLong('connections.max.idle.ms')
    const kafka = await kafkaFrontend.listen({ ...settings.kafka, ...limits, idleTimeoutMs })
    const { nats: address, config } = settings
    const natsSettings = options.nats ?? (address === null ? null : natsSettingsOf(address, config))
    if (natsSettings !== null) {
      const jetStream = natsSettings.hasJetStream ? core.jetStream : null
      const ports = { ...core, jetStream, logger: logger.child('nats'), meter }
      natsServer = await NatsServer.start(natsSettings, ports, limits)
    }
    let http: ListenAddress | null = null
    if (settings.http !== null) {
      httpFrontend = new HttpFrontend({
        logger: logger.child('http'),
        metrics: () => meter.exposition(),
        notReadyReason: () => notReadyReason(core),
        maxUpgraded: natsSettings?.maxConnections ?? 0,
        describeAddressInUse,
      })
      http = await httpFrontend.listen(settings.http)
      await natsServer?.listenOn(httpFrontend, limits)
    }
    let stopped: Promise<void> | undefined
    return {
      core,
      kafka,
      http,
      nats: natsServer?.address ?? null,
      natsServer,
      stop: () => {
        stopped ??= stop()
        return stopped
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function makeKafkaFrontend(
  core: BrokerCore,
  { settings, logger, fs }: StartOptions,
  meter: PrometheusMeter,
): KafkaFrontend {
  const { config, clock, scheduler } = core
  const sessionOptions = {
    maxSessions: config.getInt('max.incremental.fetch.session.cache.slots'),
    minEvictionMs: MIN_SESSION_EVICTION_MS,
  }
  const sessions = new FetchSessions(sessionOptions, clock, new SystemRandom())
  const kafkaLogger = logger.child('kafka')
  const maxInFlightBytes = config.getLong('spool.max.inflight.bytes')
  return new KafkaFrontend({
    transport: new NodeTransport({ logger: kafkaLogger, describeAddressInUse }),
    clock,
    scheduler,
    logger: kafkaLogger,
    meter,
    limits: {
      maxRequestBytes: config.getInt('socket.request.max.bytes'),
      maxInFlightBytes: config.getInt('spool.max.request.bytes.per.connection'),
      maxInFlightCount: MAX_IN_FLIGHT_COUNT,
      maxUnsentBytes: config.getInt('spool.max.unsent.bytes.per.connection'),
    },
    maxInFlightBytes,
    maxKeptBytes: Math.floor(maxInFlightBytes * KEPT_PART),
    advertised: settings.advertised,
    connectionClosed: (id) => core.shares.partitions.connectionClosed(id),
    handlers: (apis) =>
      kafkaHandlers(core, {
        sessions,
        apis,
        logDir: settings.dataDir,
        diskBytes: fs === undefined ? () => diskBytes(settings.dataDir) : () => UNKNOWN_BYTES,
      }),
  })
}

function notReadyReason({ groups, shares, transactions }: BrokerCore): string | null {
  if (groups.isLoading) return 'group offsets are being loaded'
  if (shares.coordinator.isLoading) return 'share group state is being loaded'
  return transactions.coordinator.isLoading ? 'transactions are being loaded' : null
}

/** Sizes of a disk as DescribeLogDirs shows them when nobody knows. */
const UNKNOWN_BYTES = { total: -1, usable: -1 }

function diskBytes(directory: string): { total: number; usable: number } {
  const { bsize, blocks, bavail } = statfsSync(directory)
  return { total: blocks * bsize, usable: bavail * bsize }
}

/** Source: MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS of Kafka, which has no config for it. */
const MIN_SESSION_EVICTION_MS = 120_000

/** As in Kafka, connections count over all ports, of whichever protocol. */
function sharedLimitsOf(settings: BrokerSettings) {
  const limits = limitsOf(settings)
  return { ...limits, shared: new ConnectionCounts(limits) }
}

function limitsOf({ config }: BrokerSettings) {
  return {
    maxConnections: config.getInt('max.connections'),
    maxConnectionsPerIp: config.getInt('max.connections.per.ip'),
    maxConnectionsPerIpOverrides: new Map(
      config.getList('max.connections.per.ip.overrides').map((entry) => {
        const at = entry.lastIndexOf(':')
        return [entry.slice(0, at), Number(entry.slice(at + 1))] as const
      }),
    ),
  }
}
