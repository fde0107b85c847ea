import {
  type DeliveryLimits,
  DeliveryState,
  type OffsetSpan,
  type StateBatch,
} from '../../delivery/delivery-state.ts'
import { DeliveryWindow } from '../../delivery/delivery-window.ts'
import { type ConsumerConfig, toMs } from './consumer-config.ts'
import type { PendingMessage, SequencePair } from './consumer-state.ts'

/** All messages are on their way to one consumer, whoever its clients are. */
export const OWNER = 'consumer'

/** What clients had when the broker stopped is still theirs, for as long as at the first delivery. */
export function windowOf(
  pending: ReadonlyMap<number, PendingMessage>,
  delivered: SequencePair,
  limits: () => DeliveryLimits,
  nowMs: number,
): DeliveryWindow {
  const sequences = [...pending.keys()].sort((one, other) => one - other)
  const start = sequences[0] ?? delivered.stream + 1
  const batches: StateBatch[] = []
  let next = start
  for (const sequence of sequences) {
    const hole = { firstOffset: next, lastOffset: sequence - 1 }
    if (sequence > next) batches.push(batchOf(hole, DeliveryState.ACKNOWLEDGED, 1))
    const span = { firstOffset: sequence, lastOffset: sequence }
    const deliveryCount = pending.get(sequence)?.deliveryCount ?? 1
    batches.push(batchOf(span, DeliveryState.ACQUIRED, deliveryCount))
    next = sequence + 1
  }
  const window = DeliveryWindow.restore(start, batches, limits)
  for (const sequence of sequences) window.renew(sequence, OWNER, nowMs)
  return window
}

function batchOf(span: OffsetSpan, state: DeliveryState, deliveryCount: number): StateBatch {
  return { ...span, state, deliveryCount }
}

export function limitsOf({
  max_deliver = -1,
  backoff = [],
  ack_wait,
}: ConsumerConfig): DeliveryLimits {
  return {
    // Counted by who delivers: holes of a filter are not in flight.
    maxInFlightCount: Number.POSITIVE_INFINITY,
    maxDeliveryCount: max_deliver > 0 ? max_deliver : Number.POSITIVE_INFINITY,
    hasDeadLetters: false,
    lockDurationMs: (deliveryCount: number): number => {
      const wait = backoff[Math.min(Math.max(deliveryCount, 1), backoff.length) - 1] ?? ack_wait
      return wait === undefined || wait === 0 ? Number.POSITIVE_INFINITY : toMs(wait)
    },
  }
}
