import { ProtocolError } from '../../base/errors.ts'
import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../records/internal/coordinator-record.ts'
import {
  decodeTransactionRecord,
  transactionLog,
} from '../../records/internal/transaction-records.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/record-batch.ts'
import type { EncodedRecord } from '../coordinator/coordinator-log.ts'
import type { TransactionMetadata } from './transaction-metadata.ts'
import { TransactionState, transactionStateOf } from './transaction-state.ts'

/** First `transaction.version` whose readers know flexible values. Source: TransactionVersion. */
const FLEXIBLE_VERSION = 1

/** A transactional id as it is now. */
export function transactionRecord(
  transaction: TransactionMetadata,
  serverTransactionVersion: number,
): EncodedRecord {
  const isEmpty = transaction.state === TransactionState.EMPTY
  const partitions = [...transaction.partitions].map(([topic, indexes]) => ({
    topic,
    partitionIds: [...indexes],
  }))
  const fields = {
    producerId: transaction.producerId,
    producerEpoch: transaction.producerEpoch,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStatus: transaction.state,
    transactionPartitions: isEmpty ? null : partitions,
    transactionLastUpdateTimestampMs: transaction.lastUpdateTimestampMs,
    transactionStartTimestampMs: transaction.startTimestampMs,
  }
  const { transactionalId, producerId, previousProducerId, nextProducerId } = transaction
  const key = encodeCoordinatorKey(transactionLog, { transactionalId })
  if (serverTransactionVersion < FLEXIBLE_VERSION) {
    return { key, value: encodeCoordinatorValue(transactionLog, 0, fields) }
  }
  const value = encodeCoordinatorValue(transactionLog, 1, {
    ...fields,
    // Kafka leaves both ids out; it reads them, and without them a crash in a change of ids loses it.
    previousProducerId: previousProducerId === producerId ? NO_PRODUCER_ID : previousProducerId,
    nextProducerId,
    clientTransactionVersion: transaction.clientTransactionVersion,
  })
  return { key, value }
}

export function transactionTombstone(transactionalId: string): EncodedRecord {
  return { key: encodeCoordinatorKey(transactionLog, { transactionalId }), value: null }
}

export interface ReplayedTransaction {
  readonly transactionalId: string
  /** null: the id expired. */
  readonly transaction: TransactionMetadata | null
}

/**
 * @returns undefined for a record of a kind this version does not know, which Kafka skips too
 * @throws ProtocolError when the record is malformed or newer than known
 */
export function readTransactionRecord(
  key: Buffer,
  value: Buffer | null,
): ReplayedTransaction | undefined {
  const record = decodeTransactionRecord(key, value)
  if (record === undefined) return undefined
  const { transactionalId } = record.key
  if (record.value === null) return { transactionalId, transaction: null }
  const fields = record.value
  const state = transactionStateOf(fields.transactionStatus)
  if (state === undefined) {
    throw new ProtocolError(
      `the transactional id "${transactionalId}" has state ${fields.transactionStatus} in the log`,
    )
  }
  const partitions = (fields.transactionPartitions ?? []).map(
    ({ topic, partitionIds }) => [topic, new Set(partitionIds)] as const,
  )
  return {
    transactionalId,
    transaction: {
      transactionalId,
      producerId: fields.producerId,
      previousProducerId:
        fields.previousProducerId === NO_PRODUCER_ID
          ? fields.producerId
          : fields.previousProducerId,
      nextProducerId: fields.nextProducerId,
      producerEpoch: fields.producerEpoch,
      lastProducerEpoch: NO_PRODUCER_EPOCH,
      timeoutMs: fields.transactionTimeoutMs,
      state,
      partitions: new Map(partitions),
      startTimestampMs: fields.transactionStartTimestampMs,
      lastUpdateTimestampMs: fields.transactionLastUpdateTimestampMs,
      clientTransactionVersion: fields.clientTransactionVersion,
    },
  }
}
