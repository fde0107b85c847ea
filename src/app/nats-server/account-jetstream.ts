import { type AccountLimits, UNLIMITED } from '../../frontends/nats/auth/account-limits.ts'
import type { ConfReader } from './conf-reader.ts'
import { isConfMap } from './conf-value.ts'

/**
 * What an account may have of JetStream: `enabled`, or a block with its limits.
 * @returns null: nothing
 * Source: parseJetStreamForAccount of nats-server.
 */
export function readAccountJetStream(account: ConfReader): AccountLimits | null {
  const value = account.value('jetstream')
  if (isConfMap(value)) {
    const block = account.block('jetstream')
    return block === undefined ? null : readLimits(block)
  }
  const isOn = value === true || (typeof value === 'string' && /^enabled?$/i.test(value))
  const isOff = value === undefined || value === false || /^disabled?$/i.test(String(value))
  if (!isOn && !isOff) account.fail(['jetstream'], 'must be enabled, disabled or a block of limits')
  return isOn ? UNLIMITED : null
}

function readLimits(block: ConfReader): AccountLimits {
  const count = (...names: readonly string[]): number => block.integer(...names) ?? -1
  const limits: AccountLimits = {
    max_memory: count('max_memory', 'max_mem', 'memory', 'mem'),
    max_storage: count('max_store', 'max_file', 'max_disk', 'store', 'disk'),
    max_streams: count('max_streams', 'streams'),
    max_consumers: count('max_consumers', 'consumers'),
    max_ack_pending: count('max_ack_pending'),
    memory_max_stream_bytes: count('memory_max_stream_bytes', 'mem_max_stream_bytes'),
    storage_max_stream_bytes: count('disk_max_stream_bytes', 'store_max_stream_bytes'),
    max_bytes_required: block.flag('max_bytes_required', 'max_stream_bytes', 'max_bytes') ?? false,
  }
  block.finish()
  return limits
}
