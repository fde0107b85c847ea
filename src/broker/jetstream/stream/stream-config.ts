/** What a stream is configured to do, in the names of JetStream's JSON. Durations are nanoseconds. */
export interface StreamConfig {
  readonly name: string
  readonly description?: string
  readonly subjects?: readonly string[]
  readonly retention: RetentionPolicy
  readonly max_consumers: number
  readonly max_msgs: number
  readonly max_bytes: number
  readonly max_age: number
  readonly max_msgs_per_subject: number
  readonly max_msg_size: number
  readonly discard: DiscardPolicy
  readonly storage: StorageType
  readonly num_replicas: number
  readonly no_ack?: boolean
  readonly duplicate_window: number
  readonly placement?: object
  readonly mirror?: StreamSource
  readonly sources?: readonly StreamSource[]
  readonly compression: Compression
  readonly first_seq?: number
  readonly subject_transform?: SubjectTransformConfig
  readonly republish?: Republish
  readonly allow_direct: boolean
  readonly mirror_direct: boolean
  readonly discard_new_per_subject?: boolean
  readonly sealed: boolean
  readonly deny_delete: boolean
  readonly deny_purge: boolean
  readonly allow_rollup_hdrs: boolean
  readonly consumer_limits: ConsumerLimits
  readonly allow_msg_ttl: boolean
  readonly subject_delete_marker_ttl?: number
  readonly allow_msg_counter?: boolean
  readonly allow_atomic?: boolean
  readonly allow_msg_schedules?: boolean
  readonly persist_mode?: PersistMode
  readonly allow_batched?: boolean
  readonly metadata?: Readonly<Record<string, string>>
}

export const RETENTION_POLICIES = ['limits', 'interest', 'workqueue'] as const
type RetentionPolicy = (typeof RETENTION_POLICIES)[number]

export const DISCARD_POLICIES = ['old', 'new'] as const
type DiscardPolicy = (typeof DISCARD_POLICIES)[number]

export const STORAGE_TYPES = ['file', 'memory'] as const
type StorageType = (typeof STORAGE_TYPES)[number]

export const COMPRESSIONS = ['none', 's2'] as const
type Compression = (typeof COMPRESSIONS)[number]

export const PERSIST_MODES = ['default', 'async'] as const
type PersistMode = (typeof PERSIST_MODES)[number]

export interface SubjectTransformConfig {
  readonly src: string
  readonly dest: string
}

interface Republish {
  readonly src?: string
  readonly dest: string
  readonly headers_only?: boolean
}

interface ConsumerLimits {
  readonly inactive_threshold?: number
  readonly max_ack_pending?: number
}

export interface StreamSource {
  readonly name: string
  readonly opt_start_seq?: number
  readonly opt_start_time?: string
  readonly filter_subject?: string
  readonly subject_transforms?: readonly SubjectTransformConfig[]
  readonly external?: object
  readonly consumer?: object
}

/** What a client asks for: everything but the name may be left out. */
export type WantedStream = Partial<StreamConfig> & { readonly name: string }

const NANOSECONDS = 1_000_000

export function toMs(nanoseconds: number): number {
  return nanoseconds / NANOSECONDS
}

/** Metadata that the server adds, and clients send back. */
const OWN_METADATA = /^_nats\./
const REQUIRED_LEVEL = '_nats.req.level'

/** Adds which level of the API the configuration needs. Source: setStaticStreamMetadata. */
export function withRequiredLevel(config: StreamConfig): StreamConfig {
  const metadata = { ...clientMetadata(config.metadata), [REQUIRED_LEVEL]: requiredLevel(config) }
  return { ...config, metadata }
}

function clientMetadata(metadata: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !OWN_METADATA.test(key)))
}

function requiredLevel(config: StreamConfig): string {
  const { allow_msg_counter, allow_atomic, allow_msg_schedules, persist_mode } = config
  if (config.allow_batched === true) return '4'
  if (allow_msg_counter === true || allow_atomic === true) return '2'
  if (allow_msg_schedules === true || persist_mode === 'async') return '2'
  return config.allow_msg_ttl || (config.subject_delete_marker_ttl ?? 0) > 0 ? '1' : '0'
}

/** Whether two configurations ask for the same, whatever the order of their fields is. */
export function isSameConfig(one: StreamConfig, other: StreamConfig): boolean {
  return stable(withRequiredLevel(one)) === stable(withRequiredLevel(other))
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
