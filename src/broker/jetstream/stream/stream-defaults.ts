import { checkCounterConfig } from './counter/counter-rules.ts'
import { withSchedules } from './schedule/schedule-rules.ts'
import type { StreamConfig, WantedStream } from './stream-config.ts'
import { invalidConfig, pedantic, type StreamRefusal, StreamRefusals } from './stream-refusal.ts'

/** Source: StreamDefaultDuplicatesWindow and StreamMaxReplicas of nats-server. */
const DUPLICATE_WINDOW = 120_000_000_000
const MAX_REPLICAS = 5
const MIN_DURATION = 100_000_000

const UNLIMITED_FIELDS = [
  'max_msgs',
  'max_msgs_per_subject',
  'max_bytes',
  'max_msg_size',
  'max_consumers',
] as const

/**
 * Fills in what a client left out, as nats-server does.
 * @param isPedantic the client wants to be told of what was changed
 * Source: checkStreamCfg.
 */
export function withDefaults(
  wanted: WantedStream,
  isPedantic: boolean,
): StreamConfig | StreamRefusal {
  const limits: Record<string, number> = {}
  for (const field of UNLIMITED_FIELDS) {
    const value = wanted[field] ?? 0
    if (value < -1 && isPedantic) return pedantic(`${field} must be set to -1`)
    limits[field] = value === 0 || value < -1 ? -1 : value
  }
  const replicas = wanted.num_replicas ?? 0
  if (replicas > MAX_REPLICAS) return invalidConfig(`maximum replicas is ${MAX_REPLICAS}`)
  if (replicas < 0) return StreamRefusals.negativeReplicas
  const maxAge = wanted.max_age ?? 0
  if (maxAge < 0) return invalidConfig('max age can not be negative')
  if (maxAge !== 0 && maxAge < MIN_DURATION) return invalidConfig('max age needs to be >= 100ms')
  const window = duplicateWindow(wanted, maxAge, isPedantic)
  if (typeof window !== 'number') return window
  const filled = {
    retention: 'limits',
    discard: 'old',
    storage: 'file',
    compression: 'none',
    allow_direct: false,
    mirror_direct: false,
    sealed: false,
    deny_delete: false,
    deny_purge: false,
    allow_rollup_hdrs: false,
    consumer_limits: {},
    allow_msg_ttl: false,
    ...wanted,
    ...limits,
    num_replicas: replicas === 0 ? 1 : replicas,
    max_age: maxAge,
    duplicate_window: window,
    ...subjectsOf(wanted),
  } as StreamConfig
  return withImplied(filled, isPedantic)
}

function subjectsOf(wanted: WantedStream): { subjects?: readonly string[] } {
  const { subjects = [], mirror, sources = [], name } = wanted
  if (subjects.length > 0) return { subjects }
  return mirror === undefined && sources.length === 0 ? { subjects: [name] } : {}
}

function duplicateWindow(
  wanted: WantedStream,
  maxAge: number,
  isPedantic: boolean,
): number | StreamRefusal {
  const { duplicate_window: asked = 0, mirror, sources = [] } = wanted
  if (asked < 0) return invalidConfig('duplicates window can not be negative')
  if (asked === 0 && mirror === undefined && sources.length === 0) {
    if (maxAge === 0 || maxAge >= DUPLICATE_WINDOW) return DUPLICATE_WINDOW
    return isPedantic ? pedantic('duplicate window cannot be bigger than max age') : maxAge
  }
  if (maxAge !== 0 && asked > maxAge) {
    return invalidConfig('duplicates window can not be larger then max age')
  }
  if (asked > 0 && asked < MIN_DURATION) {
    return invalidConfig('duplicates window needs to be >= 100ms')
  }
  return asked
}

/** What one setting makes of others. */
function withImplied(config: StreamConfig, isPedantic: boolean): StreamConfig | StreamRefusal {
  const counters = checkCounterConfig(config)
  if (counters !== null) return counters
  let filled = config
  if ((config.subject_delete_marker_ttl ?? 0) > 0) {
    if (!config.allow_msg_ttl && isPedantic) {
      return invalidConfig('subject delete marker cannot be set if message TTLs are disabled')
    }
    if (!config.allow_rollup_hdrs && isPedantic) {
      return invalidConfig('subject delete marker cannot be set if roll-ups are disabled')
    }
    filled = { ...filled, allow_msg_ttl: true }
    if (!config.allow_rollup_hdrs) {
      filled = { ...filled, allow_rollup_hdrs: true, deny_purge: false }
    }
  }
  return withSchedules(filled, isPedantic)
}
