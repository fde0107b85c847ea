import { durationText } from '../../../broker/jetstream/consumer/duration-text.ts'
import type { StreamConfig, WantedStream } from '../../../broker/jetstream/stream/stream-config.ts'
import {
  invalidConfig,
  type StreamRefusal,
  StreamRefusals,
} from '../../../broker/jetstream/stream/stream-refusal.ts'
import type { AccountLimits } from '../auth/account-limits.ts'
import { NO_MEMORY, NO_STORAGE, type ServerResources } from './server-resources.ts'
import type { ParsedStream } from './stream-config-json.ts'

const TOO_MANY: StreamRefusal = {
  code: 400,
  err_code: 10027,
  description: 'maximum number of streams reached',
}
const STREAM_TOO_BIG: StreamRefusal = {
  code: 400,
  err_code: 10122,
  description: 'stream max bytes exceeds account limit max stream bytes',
}
const NEEDS_MAX_BYTES: StreamRefusal = {
  code: 400,
  err_code: 10113,
  description: 'account requires a stream config to have max bytes set',
}

const SEPARATORS = /[\\/]/

/** Whether a request may name its stream so. @param name what its subject says */
export function nameRefusal(wanted: WantedStream, name: string): StreamRefusal | null {
  if (wanted.name !== name) return StreamRefusals.nameMismatch
  return SEPARATORS.test(name) ? StreamRefusals.nameHasSeparators : null
}

/**
 * Whether an account may have a stream, new or changed.
 * @param present what its streams are configured to be
 * @returns null, or why not
 * Source: checkAllLimits and checkBytesLimits of nats-server.
 */
export function admissionRefusal(
  wanted: WantedStream,
  present: readonly StreamConfig[],
  limits: AccountLimits,
  resources: ServerResources,
): StreamRefusal | null {
  const others = present.filter(({ name }) => name !== wanted.name)
  const isNew = others.length === present.length
  if (isNew && limits.max_streams > 0 && others.length >= limits.max_streams) return TOO_MANY
  const maxBytes = Math.max(wanted.max_bytes ?? 0, 0)
  if (limits.max_bytes_required && maxBytes === 0) return NEEDS_MAX_BYTES
  const isMemory = wanted.storage === 'memory'
  const limit = isMemory ? limits.max_memory : limits.max_storage
  const streamLimit = isMemory ? limits.memory_max_stream_bytes : limits.storage_max_stream_bytes
  if (streamLimit > 0 && maxBytes > streamLimit) return STREAM_TOO_BIG
  const reserved = others
    .filter(({ storage }) => (storage === 'memory') === isMemory)
    .reduce((sum, { max_bytes }) => sum + Math.max(max_bytes, 0), 0)
  // A new stream that reserves nothing still needs a byte.
  const wantedBytes = isNew ? Math.max(maxBytes, 1) : maxBytes
  if (limit >= 0 && reserved + wantedBytes > limit) return isMemory ? NO_MEMORY : NO_STORAGE
  const itself = present.find(({ name }) => name === wanted.name)
  const before = Math.max(itself?.max_bytes ?? 0, 0)
  return resources.refusalOf(isMemory, Math.max(wantedBytes - before, 0))
}

/** Source: StreamDefaultDuplicatesWindow of nats-server. */
const DEFAULT_WINDOW = 120_000_000_000

/**
 * A stream remembers ids of messages as long as the server allows, also where nothing is said.
 * @param limit nanoseconds; 0: none
 * Source: checkStreamCfg of nats-server.
 */
export function withDuplicateWindow(
  parsed: ParsedStream,
  limit: number,
): ParsedStream | StreamRefusal {
  if (limit === 0) return parsed
  const { duplicate_window: asked = 0, max_age: maxAge = 0, mirror, sources = [] } = parsed.wanted
  if (asked > limit) {
    const limitText = durationText(limit)
    return invalidConfig(`duplicates window can not be larger then server limit of ${limitText}`)
  }
  const isFilledIn = asked === 0 && mirror === undefined && sources.length === 0
  const isShortLived = maxAge > 0 && maxAge < limit
  if (!isFilledIn || isShortLived || limit >= DEFAULT_WINDOW) return parsed
  return { ...parsed, wanted: { ...parsed.wanted, duplicate_window: limit } }
}
