import { ErrorCode } from '../../base/error-code.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/record-batch.ts'
import type { TopicPartition, TransactionPartitions } from './transaction-metadata.ts'

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

export interface InitProducerIdRequest {
  readonly transactionalId: string
  readonly timeoutMs: number
  /** What the producer has, if it goes on after an error (KIP-360); null: it begins. */
  readonly expected: ProducerIdentity | null
}

/** The identity is -1 and -1 with an error. */
export interface ProducerIdentityResult extends ProducerIdentity {
  readonly errorCode: ErrorCode
}

export interface AddPartitionsRequest extends ProducerIdentity {
  readonly transactionalId: string
  readonly partitions: readonly TopicPartition[]
  /** `transaction.version` that the client speaks. */
  readonly clientTransactionVersion: number
}

/** Asks whether partitions are in the transaction, without adding them (KIP-890). */
export interface VerifyPartitionsRequest extends ProducerIdentity {
  readonly transactionalId: string
  readonly partitions: readonly TopicPartition[]
}

export interface EndTransactionRequest extends ProducerIdentity {
  readonly transactionalId: string
  readonly isCommit: boolean
  readonly clientTransactionVersion: number
}

export interface DescribedTransaction extends ProducerIdentity {
  readonly errorCode: ErrorCode
  readonly transactionalId: string
  /** Kafka's name of the state, empty with an error. */
  readonly state: string
  readonly timeoutMs: number
  readonly startTimestampMs: number
  readonly partitions: TransactionPartitions
}

export interface ListTransactionsFilter {
  /** Empty: all. */
  readonly states: readonly string[]
  /** Empty: all. */
  readonly producerIds: readonly number[]
  /** Only what runs longer than this; negative: all. */
  readonly durationMs: number
  /** null: all. */
  readonly matchesId: ((transactionalId: string) => boolean) | null
}

export interface ListedTransaction {
  readonly transactionalId: string
  readonly producerId: number
  readonly state: string
}

/** A decided transaction, whose partitions must all get its marker. */
export interface EndedTransaction extends ProducerIdentity {
  readonly transactionalId: string
  readonly isCommit: boolean
  readonly partitions: TransactionPartitions
}

export function identityError(errorCode: ErrorCode): ProducerIdentityResult {
  return { errorCode, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH }
}

export function identityResult({
  producerId,
  producerEpoch,
}: ProducerIdentity): ProducerIdentityResult {
  return { errorCode: ErrorCode.NONE, producerId, producerEpoch }
}

export function describeTransactionError(
  transactionalId: string,
  errorCode: ErrorCode,
): DescribedTransaction {
  return {
    errorCode,
    transactionalId,
    state: '',
    timeoutMs: 0,
    startTimestampMs: 0,
    producerId: 0,
    producerEpoch: 0,
    partitions: new Map(),
  }
}
