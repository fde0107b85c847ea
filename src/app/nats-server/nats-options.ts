import { isIPv6 } from 'node:net'
import type { NatsLimits } from '../../frontends/nats/nats-services.ts'
import { type ListenAddress, parseListenAddress } from '../listen-address.ts'
import type { ConfReader } from './conf-reader.ts'
import { readJetStream } from './jetstream-options.ts'
import { defaultNatsSettings, type NatsSettings, type WebSocketSettings } from './nats-settings.ts'
import { readSecurity } from './security-options.ts'
import { readTls } from './tls-options.ts'

/** What the command line may say over the configuration. */
export interface NatsFlags {
  readonly host?: string
  readonly port?: number
  readonly serverName?: string
  readonly httpPort?: number
  readonly user?: string
  readonly password?: string
  readonly token?: string
  readonly jetStream?: boolean
  readonly storeDir?: string
  readonly portsFileDir?: string
  readonly pidFile?: string
}

/** Everything that a `nats-server` is told. */
export interface NatsServerOptions {
  readonly settings: NatsSettings
  /** Where the data is; null: JetStream is off, and nothing is kept. */
  readonly storeDir: string | null
  /** Where a file with the ports is written, for programs that asked for any free one. */
  readonly portsFileDir: string | null
  readonly pidFile: string | null
  /** Parts of the configuration that are understood and not served. */
  readonly notServed: readonly string[]
}

const DEFAULT_PORT = 4222
const DEFAULT_HOST = '0.0.0.0'

/** Blocks of nats-server that a single Spool has nothing for. */
const NOT_SERVED = ['cluster', 'gateway', 'leafnodes', 'leaf', 'mqtt']

/** What changes nothing here, or not yet. */
const PASSED_OVER = [
  'debug',
  'trace',
  'logtime',
  'log_file',
  'logfile',
  'syslog',
  'strict',
  'no_sys_acc',
  'no_system_account',
  'server_tags',
  'connect_error_reports',
  'reconnect_error_reports',
  'disable_sublist_cache',
  'max_traced_msg_len',
  'prof_port',
  'http_base_path',
  'client_advertise',
  'https_port',
  'https',
]

/**
 * Reads a configuration of nats-server.
 * @throws ConfigError naming the first thing that can't be used
 */
export function readNatsOptions(conf: ConfReader, flags: NatsFlags): NatsServerOptions {
  const address = addressOf(conf, flags)
  const defaults = defaultNatsSettings(address)
  const { host } = address
  const monitor = monitorOf(conf, flags, host)
  const settings: NatsSettings = {
    ...defaults,
    serverName: flags.serverName ?? conf.text('server_name') ?? defaults.serverName,
    security: readSecurity(conf, flags),
    limits: readLimits(conf, defaults.limits),
    maxConnections: conf.integer('max_connections', 'max_conn') ?? defaults.maxConnections,
    allowsHeaders: conf.flag('no_header_support') !== true,
    tls: readTls(conf),
    allowsClear: conf.flag('allow_non_tls') ?? false,
    webSocket: readWebSocket(conf, host),
    monitor,
    lameDuckDurationMs: conf.durationMs('lame_duck_duration') ?? defaults.lameDuckDurationMs,
    lameDuckGraceMs: conf.durationMs('lame_duck_grace_period') ?? defaults.lameDuckGraceMs,
  }
  const notServed = NOT_SERVED.filter((name) => conf.value(name) !== undefined)
  for (const name of PASSED_OVER) conf.value(name)
  const { storeDir, settings: jetStream } = readJetStream(conf, flags)
  const portsFileDir = flags.portsFileDir ?? conf.text('ports_file_dir') ?? null
  const pidFile = flags.pidFile ?? conf.text('pid_file', 'pidfile') ?? null
  conf.finish()
  return {
    settings: { ...settings, hasJetStream: storeDir !== null, jetStream },
    storeDir,
    portsFileDir,
    pidFile,
    notServed,
  }
}

function addressOf(conf: ConfReader, flags: NatsFlags): ListenAddress {
  const listen = listenOf(conf, DEFAULT_HOST, 'listen')
  const host = flags.host ?? conf.text('host', 'net', 'addr') ?? listen?.host ?? DEFAULT_HOST
  const port = flags.port ?? conf.integer('port') ?? listen?.port ?? DEFAULT_PORT
  return { host, port: freePort(port) }
}

/** -1 is any free port there, 0 here. */
function freePort(port: number): number {
  return port === -1 ? 0 : port
}

/** `HOST:PORT`, or a port alone. */
function listenOf(
  conf: ConfReader,
  host: string,
  ...names: readonly string[]
): ListenAddress | null {
  const value = conf.value(...names)
  if (value === undefined) return null
  if (typeof value === 'number') return { host, port: freePort(value) }
  const text = conf.text(...names) ?? ''
  const isAny = text.endsWith(':-1')
  const address = parseListenAddress(isAny ? `${text.slice(0, -2)}0` : text, names[0] ?? '')
  return isIPv6(address.host) ? address : { host: address.host || host, port: address.port }
}

function monitorOf(conf: ConfReader, flags: NatsFlags, host: string): ListenAddress | null {
  const listen = listenOf(conf, host, 'http')
  const port = flags.httpPort ?? conf.integer('http_port', 'monitor_port')
  if (port === undefined) return listen
  return { host: listen?.host ?? host, port: freePort(port) }
}

function readLimits(conf: ConfReader, defaults: NatsLimits): NatsLimits {
  const maxPendingBytes = conf.integer('max_pending') ?? defaults.maxPendingBytes
  return {
    ...defaults,
    maxPendingBytes,
    stallBytes: Math.min(defaults.stallBytes, maxPendingBytes / 2),
    maxControlLineBytes: conf.integer('max_control_line') ?? defaults.maxControlLineBytes,
    maxPayloadBytes: conf.integer('max_payload') ?? defaults.maxPayloadBytes,
    maxSubscriptions: conf.integer('max_subscriptions', 'max_subs') || defaults.maxSubscriptions,
    pingIntervalMs: conf.durationMs('ping_interval') ?? defaults.pingIntervalMs,
    maxPingsOut: conf.integer('ping_max') ?? defaults.maxPingsOut,
    writeDeadlineMs: conf.durationMs('write_deadline') ?? defaults.writeDeadlineMs,
  }
}

function readWebSocket(conf: ConfReader, host: string): WebSocketSettings | null {
  const block = conf.block('websocket', 'ws')
  if (block === undefined) return null
  const listen = listenOf(block, host, 'listen')
  const address = {
    host: block.text('host', 'net') ?? listen?.host ?? host,
    port: freePort(block.integer('port') ?? listen?.port ?? 0),
  }
  const isClear = block.flag('no_tls') ?? false
  const tls = readTls(block)
  const origins = block.texts('allowed_origins', 'allowed_origin', 'allow_origins') ?? []
  const settings = {
    address,
    tls,
    compresses: block.flag('compression') ?? false,
    allowedOrigins: origins.length === 0 ? null : origins.map((origin) => origin.toLowerCase()),
    handshakeTimeoutMs: block.durationMs('handshake_timeout') ?? HANDSHAKE_TIMEOUT_MS,
  }
  block.value('advertise')
  if (block.flag('same_origin') === true)
    block.fail(['same_origin'], 'is not served: use allowed_origins')
  block.finish()
  if (tls === null && !isClear) block.fail(['tls'], 'is needed, unless no_tls is true')
  return settings
}

/** Source: the default of nats-server. */
const HANDSHAKE_TIMEOUT_MS = 2000
