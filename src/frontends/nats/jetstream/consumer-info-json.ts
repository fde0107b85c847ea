import type { ConsumerConfig } from '../../../broker/jetstream/consumer/consumer-config.ts'
import type { ConsumerInfo } from '../../../broker/jetstream/consumer/consumer-info.ts'
import type { SequencePair } from '../../../broker/jetstream/consumer/consumer-state.ts'

const NANOSECONDS_A_MS = 1_000_000
/** How Go writes a time that was never set. */
export const NO_TIME = '0001-01-01T00:00:00Z'

/** ConsumerInfo as clients read it. @param serverMetadata facts about this server */
export function consumerInfoJson(
  info: ConsumerInfo,
  nowMs: number,
  serverMetadata: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const { config, pauseRemainingMs } = info
  const isPaused = pauseRemainingMs > 0
  return {
    stream_name: info.stream,
    name: info.name,
    created: isoTime(info.createdMs),
    config: consumerConfigJson(config, serverMetadata),
    delivered: placeJson(info.delivered, info.lastDeliveredMs),
    ack_floor: placeJson(info.ackFloor, info.lastAckMs),
    num_ack_pending: info.ackPendingCount,
    num_redelivered: info.redeliveredCount,
    num_waiting: info.waitingCount,
    num_pending: info.pendingCount,
    ...(info.isBound ? { push_bound: true } : {}),
    ...(isPaused
      ? { paused: true, pause_remaining: Math.round(pauseRemainingMs * NANOSECONDS_A_MS) }
      : {}),
    ts: isoTime(nowMs),
    ...priorityGroups(info),
  }
}

/** The whole configuration that holds: clients compare it with what they asked for. */
export function consumerConfigJson(
  config: ConsumerConfig,
  serverMetadata: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  const json: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(config)) {
    if (ALWAYS.has(name) || !isNothing(value)) json[name] = value
  }
  json['metadata'] = { ...config.metadata, ...serverMetadata }
  return json
}

/** Fields that Go writes even when there is nothing in them. */
const ALWAYS = new Set(['deliver_policy', 'ack_policy', 'replay_policy', 'num_replicas'])

function isNothing(value: unknown): boolean {
  const isEmptyList = Array.isArray(value) && value.length === 0
  return value === undefined || value === 0 || value === '' || value === false || isEmptyList
}

function placeJson({ consumer, stream }: SequencePair, lastMs: number | null) {
  const place = { consumer_seq: consumer, stream_seq: stream }
  return lastMs === null ? place : { ...place, last_active: isoTime(lastMs) }
}

function priorityGroups({ config, pinnedId, pinnedMs }: ConsumerInfo) {
  const group = config.priority_groups?.[0]
  if (group === undefined) return {}
  const pin =
    pinnedId === ''
      ? { pinned_ts: NO_TIME }
      : { pinned_client_id: pinnedId, pinned_ts: isoTime(pinnedMs) }
  return { priority_groups: [{ group, ...pin }] }
}

export function isoTime(timestampMs: number): string {
  return new Date(timestampMs).toISOString()
}
