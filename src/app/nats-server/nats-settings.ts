import type { TlsSettings } from '../../adapters/tls-sockets.ts'
import type { BrokerConfig } from '../../broker/configs/broker-config.ts'
import { OPEN, type SecuritySettings } from '../../frontends/nats/auth/security-settings.ts'
import {
  DEFAULT_JETSTREAM,
  type JetStreamSettings,
} from '../../frontends/nats/jetstream/jetstream-settings.ts'
import type { NatsLimits } from '../../frontends/nats/nats-services.ts'
import type { ListenAddress } from '../listen-address.ts'

export interface WebSocketSettings {
  readonly address: ListenAddress
  readonly tls: TlsSettings | null
  readonly compresses: boolean
  readonly allowedOrigins: readonly string[] | null
  readonly handshakeTimeoutMs: number
}

/** Everything about the NATS ports of a broker. */
export interface NatsSettings {
  readonly address: ListenAddress
  readonly serverName: string
  readonly security: SecuritySettings
  readonly limits: NatsLimits
  readonly maxConnections: number
  readonly allowsHeaders: boolean
  /** Streams are served. */
  readonly hasJetStream: boolean
  readonly jetStream: JetStreamSettings
  readonly tls: TlsSettings | null
  /** Clients may do without TLS, though it is there. */
  readonly allowsClear: boolean
  readonly webSocket: WebSocketSettings | null
  /** Where `/varz` and the other pages are; null: nowhere. */
  readonly monitor: ListenAddress | null
  readonly lameDuckDurationMs: number
  readonly lameDuckGraceMs: number
}

/** As nats-server has them, but for `stallBytes` and `maxSubscriptions`, which it has not. */
const LIMITS: NatsLimits = {
  maxControlLineBytes: 4096,
  maxPayloadBytes: 1024 * 1024,
  maxPendingBytes: 64 * 1024 * 1024,
  stallBytes: 4 * 1024 * 1024,
  maxSubscriptions: 100_000,
  pingIntervalMs: 120_000,
  maxPingsOut: 2,
  writeDeadlineMs: 10_000,
}

/** Source: DEFAULT_MAX_CONNECTIONS, DEFAULT_LAME_DUCK_DURATION and _GRACE_PERIOD of nats-server. */
const MAX_CONNECTIONS = 65_536
const LAME_DUCK_DURATION_MS = 120_000
const LAME_DUCK_GRACE_MS = 10_000

/** What holds where nothing is said. */
export function defaultNatsSettings(address: ListenAddress): NatsSettings {
  return {
    address,
    serverName: 'spool',
    security: OPEN,
    limits: LIMITS,
    maxConnections: MAX_CONNECTIONS,
    allowsHeaders: true,
    hasJetStream: true,
    jetStream: DEFAULT_JETSTREAM,
    tls: null,
    allowsClear: false,
    webSocket: null,
    monitor: null,
    lameDuckDurationMs: LAME_DUCK_DURATION_MS,
    lameDuckGraceMs: LAME_DUCK_GRACE_MS,
  }
}

/** What the configs of a broker say. */
export function natsSettingsOf(address: ListenAddress, config: BrokerConfig): NatsSettings {
  return {
    ...defaultNatsSettings(address),
    maxConnections: config.getInt('spool.nats.max.connections'),
    limits: {
      maxControlLineBytes: config.getInt('spool.nats.max.control.line.bytes'),
      maxPayloadBytes: config.getInt('spool.nats.max.payload.bytes'),
      maxPendingBytes: config.getLong('spool.nats.max.pending.bytes'),
      stallBytes: config.getLong('spool.nats.stall.bytes'),
      maxSubscriptions: config.getInt('spool.nats.max.subscriptions.per.connection'),
      pingIntervalMs: config.getLong('spool.nats.ping.interval.ms'),
      maxPingsOut: config.getInt('spool.nats.max.pings.out'),
      writeDeadlineMs: config.getLong('spool.nats.write.deadline.ms'),
    },
  }
}
