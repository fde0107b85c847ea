import type { ErrorCode } from '../../base/error-code.ts'
import type { EndTxnMarker } from '../../records/control-batch.ts'
import type { TransactionStanding } from '../topics/partition.ts'

/** A record as it goes into the log; no value is a tombstone. */
export interface EncodedRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** The producer in whose transaction records are written (KIP-98). */
export interface RecordProducer {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Takes back what was appended, in order. Buffers are borrowed for the call. */
export interface CoordinatorReplay {
  /** @param producerId of the transaction it belongs to, -1 outside of one */
  record(key: Buffer, value: Buffer | null, offset: number, producerId: number): void
  /** A transaction ended in this partition. */
  transactionEnded(producerId: number, isCommitted: boolean): void
}

/** The log of one partition of an internal topic, as a coordinator uses it. */
export interface CoordinatorLog {
  /** False when storage failed: nothing can be appended or read. */
  readonly isUsable: boolean
  /**
   * Appends the records as one batch: all of them survive or none.
   * @param producer of the transaction they belong to, null: none
   * @param done told once, in the order of the appends, when the batch is durable or failed; not
   *   called when the returned code is an error
   * @returns NONE, or why nothing was appended
   */
  append(
    records: readonly EncodedRecord[],
    producer: RecordProducer | null,
    nowMs: number,
    done: (errorCode: ErrorCode) => void,
  ): ErrorCode
  /** Appends the marker that ends a transaction, as `append`. */
  appendMarker(marker: EndTxnMarker, done: (errorCode: ErrorCode) => void): ErrorCode
  /** How the log stands to a producer that wants to write in a transaction. */
  standingOf(producer: RecordProducer): TransactionStanding
  /** NONE, or why a marker would be refused. */
  checkMarker(marker: EndTxnMarker): ErrorCode
  /** Reads the log from its start to its present end; `done` may come in the same turn. */
  replay(replay: CoordinatorReplay, done: (error: Error | null) => void): void
}
