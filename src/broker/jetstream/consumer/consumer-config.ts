import { millisecondsOf } from '../rfc3339.ts'

/**
 * What a JetStream consumer is configured to do. The names are those of JetStream's JSON, which is
 * also how it is kept; texts have one character for each byte. Durations are in nanoseconds, times are RFC 3339.
 * Source: ConsumerConfig of nats-server 2.12, ADR-37, ADR-42.
 */
export interface ConsumerConfig {
  readonly durable_name?: string
  readonly name?: string
  readonly description?: string
  readonly deliver_policy: DeliverPolicy
  readonly opt_start_seq?: number
  readonly opt_start_time?: string
  readonly ack_policy: AckPolicy
  readonly ack_wait?: number
  /** -1: no limit. */
  readonly max_deliver?: number
  /** How long the first, second... delivery may take; the last one holds for all that follow. */
  readonly backoff?: readonly number[]
  readonly filter_subject?: string
  readonly filter_subjects?: readonly string[]
  readonly replay_policy: ReplayPolicy
  /** Bits a second. */
  readonly rate_limit_bps?: number
  /** Percent, such as `30%` or `30`. */
  readonly sample_freq?: string
  readonly max_waiting?: number
  readonly max_ack_pending?: number
  readonly flow_control?: boolean
  readonly headers_only?: boolean
  readonly max_batch?: number
  readonly max_expires?: number
  readonly max_bytes?: number
  readonly deliver_subject?: string
  readonly deliver_group?: string
  readonly idle_heartbeat?: number
  readonly inactive_threshold?: number
  readonly num_replicas: number
  readonly mem_storage?: boolean
  readonly direct?: boolean
  readonly sourcing?: boolean
  readonly metadata?: Readonly<Record<string, string>>
  readonly pause_until?: string
  readonly priority_groups?: readonly string[]
  readonly priority_policy?: PriorityPolicy
  readonly priority_timeout?: number
}

export const DELIVER_POLICIES = [
  'all',
  'last',
  'new',
  'by_start_sequence',
  'by_start_time',
  'last_per_subject',
] as const
export type DeliverPolicy = (typeof DELIVER_POLICIES)[number]

export const ACK_POLICIES = ['none', 'all', 'explicit', 'flow_control'] as const
export type AckPolicy = (typeof ACK_POLICIES)[number]

export const REPLAY_POLICIES = ['instant', 'original'] as const
export type ReplayPolicy = (typeof REPLAY_POLICIES)[number]

export const PRIORITY_POLICIES = ['none', 'overflow', 'pinned_client', 'prioritized'] as const
export type PriorityPolicy = (typeof PRIORITY_POLICIES)[number]

/** What the stream of a consumer says about its consumers. */
export interface StreamFacts {
  readonly retention: 'limits' | 'interest' | 'workqueue'
  readonly subjects: readonly string[]
  readonly num_replicas: number
  /** 0: no limit of its own. */
  readonly consumerMaxAckPending: number
  /** Nanoseconds; 0: none. */
  readonly consumerInactiveThreshold: number
  /** -1: any number. */
  readonly maxConsumers: number
  /** What the account and the server allow each consumer; 0: any number, as below. */
  readonly maxAckPending: number
  /** Messages that one pull may ask for. */
  readonly maxRequestBatch: number
}

const NANOSECONDS = 1_000_000

export function toMs(nanoseconds: number | undefined): number {
  return (nanoseconds ?? 0) / NANOSECONDS
}

/** The subjects that pass; none: all. */
export function filtersOf(config: ConsumerConfig): readonly string[] {
  const { filter_subject: filter = '', filter_subjects: filters = [] } = config
  return filter === '' ? filters : [filter]
}

export function isPush(config: ConsumerConfig): boolean {
  return (config.deliver_subject ?? '') !== ''
}

export function isDurable(config: ConsumerConfig): boolean {
  return (config.durable_name ?? '') !== ''
}

/** It is kept only in memory, with the consumers that a stop of the broker ends. */
export function isEphemeralInMemory(config: ConsumerConfig): boolean {
  return !isDurable(config) && (config.mem_storage === true || config.direct === true)
}

/**
 * With the lowest API level that knows what the consumer uses, where clients look for it.
 * Source: setStaticConsumerMetadata of nats-server, ADR-44.
 */
export function withRequiredLevel(config: ConsumerConfig): ConsumerConfig {
  const { priority_policy: policy = 'none', priority_groups: groups = [] } = config
  // Go writes year 1 for a time that was never set.
  const isPaused = (millisecondsOf(config.pause_until ?? '') ?? 0) > 0
  const isLevel1 = policy !== 'none' || groups.length > 0 || isPaused
  const level = config.ack_policy === 'flow_control' ? '4' : isLevel1 ? '1' : '0'
  return { ...config, metadata: { ...config.metadata, '_nats.req.level': level } }
}
