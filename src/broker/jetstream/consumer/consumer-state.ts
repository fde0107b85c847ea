import type { OffsetSpan } from '../../delivery/delivery-state.ts'

/** Where a consumer is, in its own count of deliveries and in the stream. */
export interface SequencePair {
  readonly consumer: number
  readonly stream: number
}

/** Messages in a row that wait for their acks, with consumer sequences in a row. */
export interface PendingRun {
  readonly firstSequence: number
  readonly lastSequence: number
  /** Of the first delivery of the first message. */
  readonly firstConsumerSequence: number
  readonly deliveryCount: number
}

/** What changed since the last one was kept; or, if it is whole, all there is. */
export interface ConsumerStateChange {
  readonly isWhole: boolean
  readonly delivered: SequencePair
  readonly ackFloor: SequencePair
  /** Given to somebody, for the first time or again. */
  readonly pending: readonly PendingRun[]
  /** Pending no more. Offsets are stream sequences here. */
  readonly finished: readonly OffsetSpan[]
  /** Delivered as often as may be, since then or at all, and kept in the stream. */
  readonly exhausted: readonly number[]
}

/** A consumer that was given nothing yet. */
export function initialState(startSequence: number): ConsumerStateChange {
  const place = { consumer: 0, stream: startSequence - 1 }
  const nothing = { pending: [], finished: [], exhausted: [] }
  return { isWhole: true, delivered: place, ackFloor: place, ...nothing }
}

/** One message that waits for its ack. */
export interface PendingMessage {
  /** Of its first delivery. */
  readonly consumerSequence: number
  readonly deliveryCount: number
  /** The last time, by the clock that never goes back. */
  readonly deliveredAtMs: number
}

export function runsOf(
  sequences: Iterable<number>,
  pending: ReadonlyMap<number, PendingMessage>,
): PendingRun[] {
  const runs: { -readonly [K in keyof PendingRun]: PendingRun[K] }[] = []
  for (const sequence of sequences) {
    const message = pending.get(sequence)
    if (message === undefined) continue
    const { consumerSequence, deliveryCount } = message
    const last = runs.at(-1)
    const isNext =
      last !== undefined &&
      last.lastSequence + 1 === sequence &&
      last.deliveryCount === deliveryCount &&
      last.firstConsumerSequence + (sequence - last.firstSequence) === consumerSequence
    if (isNext) last.lastSequence = sequence
    else {
      runs.push({
        firstSequence: sequence,
        lastSequence: sequence,
        firstConsumerSequence: consumerSequence,
        deliveryCount,
      })
    }
  }
  return runs
}
