import type { Clock } from '../../../ports/clock.ts'
import type { Random } from '../../../ports/random.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import type { StoredMessage } from '../stream/stream-reader.ts'
import type { ConsumerAdvisory } from './consumer-advisory.ts'
import type { ConsumerStateChange } from './consumer-state.ts'
import type { Status } from './status.ts'

/** A message on its way to a client, with all that the client is told about it. */
export interface OutgoingMessage {
  readonly stream: string
  readonly consumer: string
  readonly message: StoredMessage
  readonly deliveryCount: number
  readonly consumerSequence: number
  /** Messages that come after this one. */
  readonly pendingCount: number
  /** The payload stays here; its size goes in a header. */
  readonly isHeadersOnly: boolean
  /** The client that all messages go to; empty: none. */
  readonly pinId: string
}

/** Where the messages of consumers go. */
export interface ConsumerOutput {
  /** Bytes that count for limits of a request: subject, reply, headers and payload. */
  sizeOf(outgoing: OutgoingMessage): number
  /** @returns whether whoever gets it is far behind, and shall get no more for now */
  message(to: string, outgoing: OutgoingMessage): boolean
  status(to: string, status: Status): void
  hasInterest(subject: string): boolean
  /** Calls `changed` whenever interest in the subject may have come or gone, until it is stopped. */
  watchInterest(subject: string, changed: () => void): { stop(): void }
  advisory(advisory: ConsumerAdvisory): void
}

/** Where the state of consumers is kept. */
export interface ConsumerJournal {
  /** @param done told once: whether it is durable */
  keep(change: ConsumerStateChange, done: (isKept: boolean) => void): void
}

export interface ConsumerPorts {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly output: ConsumerOutput
}
