import type { ConsumerAdvisory } from '../../../broker/jetstream/consumer/consumer-advisory.ts'
import { isoTime, NO_TIME } from './consumer-info-json.ts'

/** Subject, and name of the type, by what happened. Source: jetstream_events.go of nats-server. */
const EVENTS: Readonly<Record<ConsumerAdvisory['kind'], readonly [string, string]>> = {
  created: ['CREATED', 'consumer_action'],
  deleted: ['DELETED', 'consumer_action'],
  paused: ['PAUSE', 'consumer_pause'],
  max_deliver: ['MAX_DELIVERIES', 'max_deliver'],
  nak: ['MSG_NAKED', 'nak'],
  terminated: ['MSG_TERMINATED', 'terminated'],
  ack_sample: ['ACK', 'consumer_ack'],
  pinned: ['PINNED', 'consumer_group_pinned'],
  unpinned: ['UNPINNED', 'consumer_group_unpinned'],
}
const NANOSECONDS_A_MS = 1_000_000

/** @param id of this event alone */
export function consumerAdvisory(
  advisory: ConsumerAdvisory,
  id: string,
  nowMs: number,
): { subject: string; json: Readonly<Record<string, unknown>> } {
  const { kind, stream, consumer } = advisory
  const [name, type] = EVENTS[kind]
  const isMetric = kind === 'ack_sample'
  const family = isMetric ? 'METRIC' : 'ADVISORY'
  const typeFamily = isMetric ? 'metric' : 'advisory'
  return {
    subject: `$JS.EVENT.${family}.CONSUMER.${name}.${stream}.${consumer}`,
    json: {
      type: `io.nats.jetstream.${typeFamily}.v1.${type}`,
      id,
      timestamp: isoTime(nowMs),
      stream,
      consumer,
      ...detailsOf(advisory),
    },
  }
}

function detailsOf(advisory: ConsumerAdvisory): Readonly<Record<string, unknown>> {
  switch (advisory.kind) {
    case 'created':
      return { action: 'create' }
    case 'deleted':
      return { action: 'delete' }
    case 'paused':
      return { paused: advisory.isPaused, pause_until: advisory.pauseUntil ?? NO_TIME }
    case 'max_deliver':
      return { stream_seq: advisory.streamSequence, deliveries: advisory.deliveries }
    case 'pinned':
      return { group: advisory.group, pinned_id: advisory.pinId }
    case 'unpinned':
      return { group: advisory.group, reason: advisory.reason }
    default:
      return deliveryDetails(advisory)
  }
}

function deliveryDetails(
  advisory: Extract<ConsumerAdvisory, { kind: 'nak' | 'terminated' | 'ack_sample' }>,
): Readonly<Record<string, unknown>> {
  const { consumerSequence, streamSequence, deliveries } = advisory
  const facts = { consumer_seq: consumerSequence, stream_seq: streamSequence, deliveries }
  if (advisory.kind === 'ack_sample') {
    return { ...facts, ack_time: Math.round(advisory.ackTimeMs * NANOSECONDS_A_MS) }
  }
  const hasReason = advisory.kind === 'terminated' && advisory.reason !== ''
  return hasReason ? { ...facts, reason: advisory.reason } : facts
}
