/** Where a record is on its way to a consumer. The numbers are those of Kafka's records. */
export const DeliveryState = {
  /** Whoever asks may get it. */
  AVAILABLE: 0,
  /** A consumer has it, until its lock runs out. */
  ACQUIRED: 1,
  ACKNOWLEDGED: 2,
  /** It will not be delivered again, and is being written to a dead-letter topic. */
  ARCHIVING: 3,
  /** It will not be delivered again, though nobody acknowledged it. */
  ARCHIVED: 4,
} as const
export type DeliveryState = (typeof DeliveryState)[keyof typeof DeliveryState]

/** True when nothing happens to the record any more. */
export function isFinal(state: DeliveryState): boolean {
  return state === DeliveryState.ACKNOWLEDGED || state === DeliveryState.ARCHIVED
}

/** What a consumer says of a record that it was given. The numbers are those of KIP-932. */
export const AcknowledgeType = {
  /** There is no record at that offset. */
  GAP: 0,
  ACCEPT: 1,
  /** Give it to somebody else. */
  RELEASE: 2,
  /** Give it to nobody any more. */
  REJECT: 3,
  /** The consumer still works on it: its lock starts anew (KIP-1222). */
  RENEW: 4,
} as const
export type AcknowledgeType = (typeof AcknowledgeType)[keyof typeof AcknowledgeType]

/** Offsets in a row, both ends included. */
export interface OffsetSpan {
  readonly firstOffset: number
  readonly lastOffset: number
}

/** Records in a row that are in the same state: what has to be kept to go on after a restart. */
export interface StateBatch extends OffsetSpan {
  readonly state: DeliveryState
  readonly deliveryCount: number
}

/** Records in a row that a consumer was given. */
export interface AcquiredSpan extends OffsetSpan {
  /** Deliveries so far, with this one. */
  readonly deliveryCount: number
}

/** How deliveries are limited; read anew for every step. */
export interface DeliveryLimits {
  /** Records between the oldest unfinished one and the newest that was given to anybody. */
  readonly maxInFlightCount: number
  /** After so many deliveries a record is given to nobody any more; Infinity: no limit. */
  readonly maxDeliveryCount: number
  /** How long a consumer may keep a record, by how often it was delivered. */
  readonly lockDurationMs: (deliveryCount: number) => number
  /** Rejected and exhausted records go to a dead-letter topic before they are archived. */
  readonly hasDeadLetters: boolean
}
