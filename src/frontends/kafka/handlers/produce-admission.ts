import { ErrorCode, errorName } from '../../../base/error-code.ts'
import type { Partition } from '../../../broker/topics/partition.ts'
import type { TransactionAdmission } from '../../../broker/transactions/transaction-admission.ts'
import {
  baseSequenceOf,
  isTransactional,
  producerEpochOf,
  producerIdOf,
  RECORD_BATCH_OVERHEAD,
} from '../../../records/record-batch.ts'
import type { ProduceRequest } from '../../../wire/kafka/messages/00-produce.ts'

/** First version that knows TRANSACTION_ABORTABLE (KIP-890 part 1). */
const ABORTABLE_SINCE = 11
/** First version that makes a partition part of the transaction by itself (KIP-890 part 2). */
const ADDS_SINCE = 12

/** A batch that waits for the coordinator of its transaction. */
export interface HeldBatch {
  readonly partition: Partition
  readonly records: Buffer
}

export interface AdmissionOutcomes<Held> {
  admitted(held: Held): void
  refused(held: Held, errorCode: ErrorCode, message: string | null): void
  /** Each batch was admitted or refused. */
  settled(): void
}

/** The coordinator can't say now. Every version retries the code that stands for these. */
const NOT_NOW: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])

/** Whether the bytes begin with a batch of a transaction; a malformed one is refused later. */
export const isOfTransaction = (records: Buffer | null): records is Buffer =>
  records !== null && records.byteLength >= RECORD_BATCH_OVERHEAD && isTransactional(records, 0)

/** The transaction of this batch is open in the partition: its coordinator knows of both. */
export const hasBegun = (partition: Partition, records: Buffer): boolean =>
  partition.standingOf(producerIdOf(records, 0), producerEpochOf(records, 0)) === 'open'

/**
 * Why the whole request is refused: batches of a transaction without its id, or of more than one
 * producer. Source: KafkaApis.handleProduceRequest, ReplicaManager.handleProduceAppend of Kafka 4.4.
 */
export function transactionalRefusal({ transactionalId, topicData }: ProduceRequest): ErrorCode {
  let producerId = -1
  let producerEpoch = -1
  let isFirst = true
  for (const { partitionData } of topicData) {
    for (const { records } of partitionData) {
      if (!isOfTransaction(records)) continue
      if (transactionalId === null) return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
      const isSame =
        producerIdOf(records, 0) === producerId && producerEpochOf(records, 0) === producerEpoch
      if (!isFirst && !isSame) return ErrorCode.INVALID_PRODUCER_ID_MAPPING
      producerId = producerIdOf(records, 0)
      producerEpoch = producerEpochOf(records, 0)
      isFirst = false
    }
  }
  return ErrorCode.NONE
}

/** Asks the coordinator for all held batches at once; they are of one producer. */
export function admitBatches<Held extends HeldBatch>(
  admission: Pick<TransactionAdmission, 'admit'>,
  transactionalId: string | null,
  apiVersion: number,
  batches: readonly Held[],
  outcomes: AdmissionOutcomes<Held>,
): void {
  const [first] = batches
  if (first === undefined || transactionalId === null) {
    outcomes.settled()
    return
  }
  const producerId = producerIdOf(first.records, 0)
  const producerEpoch = producerEpochOf(first.records, 0)
  const partitions = batches.map(({ partition }) => partition)
  const request = {
    transactionalId,
    producerId,
    producerEpoch,
    partitions,
    mayAdd: apiVersion >= ADDS_SINCE,
    knowsAbortable: apiVersion >= ABORTABLE_SINCE,
  }
  admission.admit(request, (codes) => {
    for (const [index, held] of batches.entries()) {
      const code = codes[index] ?? ErrorCode.UNKNOWN_SERVER_ERROR
      if (code === ErrorCode.NONE) admitInOrder(held, outcomes)
      else refuse(held, code, apiVersion, outcomes)
    }
    outcomes.settled()
  })
}

function admitInOrder<Held extends HeldBatch>(held: Held, outcomes: AdmissionOutcomes<Held>): void {
  const { partition, records } = held
  const producerId = producerIdOf(records, 0)
  const sequence = baseSequenceOf(records, 0)
  if (partition.tentative.isOutOfOrder(producerId, producerEpochOf(records, 0), sequence)) {
    outcomes.refused(
      held,
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      'an earlier batch of this transaction was refused for now and must come first',
    )
    return
  }
  outcomes.admitted(held)
  if (hasBegun(partition, records)) partition.tentative.begun(producerId)
}

function refuse<Held extends HeldBatch>(
  held: Held,
  code: ErrorCode,
  apiVersion: number,
  outcomes: AdmissionOutcomes<Held>,
): void {
  const { partition, records } = held
  const isConcurrent = code === ErrorCode.CONCURRENT_TRANSACTIONS
  if (isConcurrent || NOT_NOW.has(code)) {
    const sequence = baseSequenceOf(records, 0)
    partition.tentative.refused(producerIdOf(records, 0), producerEpochOf(records, 0), sequence)
  }
  // Old clients don't retry a transaction that is not over yet; this code they do.
  if (NOT_NOW.has(code) || (isConcurrent && apiVersion < ADDS_SINCE)) {
    const message = `the coordinator of the transaction can't admit the partition: ${errorName(code)}`
    outcomes.refused(held, ErrorCode.NOT_ENOUGH_REPLICAS, message)
  } else if (code === ErrorCode.INVALID_TXN_STATE) {
    outcomes.refused(held, code, 'the partition was not added to the transaction')
  } else {
    outcomes.refused(held, code, null)
  }
}
