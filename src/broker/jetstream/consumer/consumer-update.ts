import type { ConsumerConfig } from './consumer-config.ts'
import { type ConsumerRefusal, ConsumerRefusals, createRefusal } from './consumer-refusal.ts'

/** What a consumer has for all its life, with what a client is told that wants to change it. */
const FIXED: readonly (readonly [keyof ConsumerConfig, string])[] = [
  ['deliver_policy', 'deliver policy'],
  ['mem_storage', 'storage type'],
  ['direct', 'direct'],
  ['sourcing', 'sourcing'],
  ['opt_start_seq', 'start sequence'],
  ['opt_start_time', 'start time'],
  ['ack_policy', 'ack policy'],
  ['replay_policy', 'replay policy'],
  ['idle_heartbeat', 'heart beats'],
  ['flow_control', 'flow control'],
]

/**
 * Whether a consumer may become another one.
 * @param isBound somebody listens to the present deliver subject
 * Source: checkNewConsumerConfig of nats-server.
 */
export function checkConsumerUpdate(
  present: ConsumerConfig,
  next: ConsumerConfig,
  isBound: boolean,
): ConsumerRefusal | null {
  for (const [name, text] of FIXED) {
    if (!isSame(present[name], next[name])) return createRefusal(`${text} can not be updated`)
  }
  const { deliver_subject: from = '' } = present
  const { deliver_subject: to = '' } = next
  if (from !== to) {
    if (from === '') return createRefusal('can not update pull consumer to push based')
    if (to === '') return createRefusal('can not update push consumer to pull based')
    if (isBound) return { code: 400, err_code: 10013, description: 'consumer name already in use' }
  }
  if (!isSame(present.max_waiting, next.max_waiting)) {
    return createRefusal('max waiting can not be updated')
  }
  const { backoff = [], max_deliver = -1 } = next
  const isBelow = backoff.length > 0 && max_deliver !== -1 && backoff.length > max_deliver
  return isBelow ? ConsumerRefusals.maxDeliverBelowBackoff : null
}

/** Whether nothing would change. */
export function isSameConfig(one: ConsumerConfig, other: ConsumerConfig): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof ConsumerConfig>
  return [...names].every((name) => isSame(one[name], other[name]))
}

/** What is left out is the same as nothing, zero or false. */
function isSame(one: unknown, other: unknown): boolean {
  return comparable(one) === comparable(other)
}

function comparable(value: unknown): string {
  const isNothing = value === undefined || value === 0 || value === '' || value === false
  if (isNothing || (Array.isArray(value) && value.length === 0)) return ''
  if (Array.isArray(value) || typeof value !== 'object' || value === null)
    return JSON.stringify(value)
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.length === 0 ? '' : JSON.stringify(entries)
}
