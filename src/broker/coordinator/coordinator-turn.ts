import type { ErrorCode } from '../../base/error-code.ts'
import type { EndTxnMarker } from '../../records/control-batch.ts'
import type { EncodedRecord, RecordProducer } from './coordinator-log.ts'

/**
 * Where the answer to a request goes. A state machine keeps it and hands it to `Turn.reply`; only
 * the runtime calls its methods.
 */
export interface Reply<T> {
  answer(value: T): void
  /** The coordinator can't say anything now: loading, failed or gone. */
  refuse(errorCode: ErrorCode): void
}

/**
 * One step of a coordinator's state machine: what it knows of the world, and what it wants done.
 * Records of a step are appended together, and its replies go out after them.
 */
export interface Turn<TimerEvent> {
  /** Wall-clock time of the step, milliseconds since 1970. */
  readonly nowMs: number
  /** @param producer in whose transaction it is written; left out: it holds at once */
  append(record: EncodedRecord, producer?: RecordProducer): void
  /** Ends a transaction in this partition, after what was appended to it so far. */
  appendMarker(marker: EndTxnMarker): void
  reply<T>(to: Reply<T>, value: T): void
  /** Sets the timer of that name to `delayMs` from now, in place of what it was set to. */
  schedule(name: string, delayMs: number, event: TimerEvent): void
  cancel(name: string): void
  /** A random uuid in the usual form with dashes. */
  uuid(): string
}

/** A coordinator's state machine: no clock, no I/O; all it does goes through the turn. */
export interface CoordinatorMachine<TimerEvent> {
  /** Takes back one record of its log, in order. */
  replay(key: Buffer, value: Buffer | null, offset: number, producerId: number): void
  replayTransactionEnd(producerId: number, isCommitted: boolean): void
  /** All was replayed: timers of what is there start now. */
  loaded(turn: Turn<TimerEvent>): void
  timerFired(event: TimerEvent, turn: Turn<TimerEvent>): void
  /** Replies that wait inside the state, for when it is thrown away. */
  parkedReplies(): readonly Reply<never>[]
}
