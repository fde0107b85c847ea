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
  const limits: AccountLimits = {
    max_memory: block.integer('max_memory', 'max_mem', 'memory', 'mem') ?? -1,
    max_storage: block.integer('max_store', 'max_file', 'max_disk', 'store', 'disk') ?? -1,
    max_streams: block.integer('max_streams', 'streams') ?? -1,
    max_consumers: block.integer('max_consumers', 'consumers') ?? -1,
    max_bytes_required: block.flag('max_bytes_required', 'max_stream_bytes', 'max_bytes') ?? false,
  }
  block.finish()
  return limits
}
