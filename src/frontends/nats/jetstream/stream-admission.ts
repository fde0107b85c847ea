import type { StreamConfig, WantedStream } from '../../../broker/jetstream/stream/stream-config.ts'
import {
  type StreamRefusal,
  StreamRefusals,
} from '../../../broker/jetstream/stream/stream-refusal.ts'
import type { AccountLimits } from '../auth/account-limits.ts'

const TOO_MANY: StreamRefusal = {
  code: 400,
  err_code: 10027,
  description: 'maximum number of streams reached',
}
const NO_MEMORY: StreamRefusal = {
  code: 500,
  err_code: 10028,
  description: 'insufficient memory resources available',
}
const NO_STORAGE: StreamRefusal = {
  code: 500,
  err_code: 10047,
  description: 'insufficient storage resources available',
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
): StreamRefusal | null {
  const others = present.filter(({ name }) => name !== wanted.name)
  const isNew = others.length === present.length
  if (isNew && limits.max_streams > 0 && others.length >= limits.max_streams) return TOO_MANY
  const maxBytes = Math.max(wanted.max_bytes ?? 0, 0)
  if (limits.max_bytes_required && maxBytes === 0) return NEEDS_MAX_BYTES
  const isMemory = wanted.storage === 'memory'
  const limit = isMemory ? limits.max_memory : limits.max_storage
  if (limit < 0) return null
  const reserved = others
    .filter(({ storage }) => (storage === 'memory') === isMemory)
    .reduce((sum, { max_bytes }) => sum + Math.max(max_bytes, 0), 0)
  if (reserved + maxBytes <= limit) return null
  return isMemory ? NO_MEMORY : NO_STORAGE
}
