import type { Backlog } from './pull-queue.ts'
import type { Status } from './status.ts'

/** Who gets a message. */
export interface Recipient {
  readonly to: string
  /** Of the client that all messages go to; empty: none. */
  readonly pinId: string
}

/** Who the messages of a consumer go to: requests that wait, or one subject. */
export interface DeliveryTarget {
  /** When `passed` has something to do. */
  readonly nextDueMs: number
  /** Somebody is there, so the consumer is in use. */
  readonly isInUse: boolean
  /** Messages that can be sent now. */
  readonly wantedCount: number
  /** @returns null when nobody may have a message of so many bytes now */
  choose(byteCount: number, backlog: Backlog, nowMs: number): Recipient | null
  /** @param isFull no more may be sent before acks come */
  sent(recipient: Recipient, byteCount: number, isFull: boolean, nowMs: number): void
  /** There is nothing to send, or time passed. @param isAtEnd the stream has no more for now */
  passed(isAtEnd: boolean, nowMs: number): void
  /** Nothing will come any more. */
  close(what: Status): void
}
