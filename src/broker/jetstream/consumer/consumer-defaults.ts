import { type ConsumerConfig, isDurable, isPush, type StreamFacts } from './consumer-config.ts'
import { type ConsumerRefusal, pedantic } from './consumer-refusal.ts'

const SECOND = 1_000_000_000

/** Source: JsAckWaitDefault, JsDefaultMaxAckPending, JSWaitQueueDefaultMax, JsDefaultPinnedTTL. */
const ACK_WAIT = 30 * SECOND
const MAX_ACK_PENDING = 1000
const MAX_WAITING = 512
const PINNED_CLIENT_TIMEOUT = 120 * SECOND
/** For consumers without a durable name. Source: JsDeleteWaitTimeDefault. */
const INACTIVE = 5 * SECOND

/** Counts that mean "not set" when they are negative. */
const NOT_NEGATIVE = [
  'max_waiting',
  'max_batch',
  'max_expires',
  'max_bytes',
  'idle_heartbeat',
  'inactive_threshold',
  'priority_timeout',
] as const

type Writable = { -readonly [K in keyof ConsumerConfig]: ConsumerConfig[K] }

/**
 * Fills in what the client left out.
 * @param isPedantic the client wants to hear of what would be changed silently
 * Source: setConsumerConfigDefaults of nats-server.
 */
export function withDefaults(
  config: ConsumerConfig,
  stream: StreamFacts,
  isPedantic: boolean,
): ConsumerConfig | ConsumerRefusal {
  const filled: Writable = { ...config }
  const changed = dropNegatives(filled)
  if (isPedantic && changed !== null) return pedantic(changed)
  const refusal = isPedantic ? pedanticRefusal(config, stream) : null
  if (refusal !== null) return refusal

  const { ack_policy: acks, backoff = [] } = config
  if (!isPush(filled) && !filled.max_waiting) filled.max_waiting = MAX_WAITING
  const isWaitingForAcks = acks === 'explicit' || acks === 'all'
  if (!filled.ack_wait && isWaitingForAcks) filled.ack_wait = ACK_WAIT
  if (backoff[0] !== undefined) filled.ack_wait = backoff[0]
  if (!filled.max_ack_pending) filled.max_ack_pending = stream.consumerMaxAckPending
  if (!filled.inactive_threshold) filled.inactive_threshold = stream.consumerInactiveThreshold
  if (!filled.inactive_threshold && !isDurable(config)) filled.inactive_threshold = INACTIVE
  if (!filled.max_ack_pending && acks !== 'none') {
    const { maxAckPending } = stream
    filled.max_ack_pending =
      maxAckPending > 0 ? Math.min(maxAckPending, MAX_ACK_PENDING) : MAX_ACK_PENDING
  }
  if (!isPush(filled) && !filled.max_batch && stream.maxRequestBatch > 0) {
    filled.max_batch = stream.maxRequestBatch
  }
  if (filled.priority_policy === 'pinned_client' && !filled.priority_timeout) {
    filled.priority_timeout = PINNED_CLIENT_TIMEOUT
  }
  if (acks === 'flow_control' && !isPedantic) {
    filled.flow_control = true
    filled.idle_heartbeat = SECOND
  }
  return filled
}

/** @returns what a careful client should know, null when nothing was changed */
function dropNegatives(config: Writable): string | null {
  let changed: string | null = null
  const { max_deliver = 0, max_ack_pending = 0 } = config
  if (max_deliver < -1) changed = 'max_deliver must be set to -1'
  if (max_deliver < 1) config.max_deliver = -1
  if (max_ack_pending < -1) {
    changed ??= 'max_ack_pending must be set to -1'
    config.max_ack_pending = -1
  }
  for (const name of NOT_NEGATIVE) {
    if ((config[name] ?? 0) >= 0) continue
    changed ??= `${name} must not be negative`
    config[name] = 0
  }
  return changed
}

function pedanticRefusal(
  { backoff = [], ack_wait, max_ack_pending, inactive_threshold }: ConsumerConfig,
  stream: StreamFacts,
): ConsumerRefusal | null {
  if (backoff[0] !== undefined && ack_wait !== backoff[0]) {
    return pedantic('first backoff value has to equal batch AckWait')
  }
  if (!max_ack_pending && stream.consumerMaxAckPending > 0) {
    return pedantic("max_ack_pending must be set if it's configured in stream limits")
  }
  if (!inactive_threshold && stream.consumerInactiveThreshold > 0) {
    return pedantic("inactive_threshold must be set if it's configured in stream limits")
  }
  return null
}
