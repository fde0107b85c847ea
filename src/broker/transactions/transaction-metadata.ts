import { assert } from '../../base/assert.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../records/record-batch.ts'
import { TransactionState } from './transaction-state.ts'

/** By topic: the partitions that a transaction touched. */
export type TransactionPartitions = ReadonlyMap<string, ReadonlySet<number>>

/** One partition by name. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** What the coordinator knows of a transactional id. A step replaces it as a whole. */
export interface TransactionMetadata {
  readonly transactionalId: string
  readonly producerId: number
  /** Its producer id before the last change of state, -1: none. Says that a retry is one. */
  readonly previousProducerId: number
  /** Takes over when the transaction is complete, since the epochs of the present id are used up. */
  readonly nextProducerId: number
  /** -1: no producer was told its epoch yet. */
  readonly producerEpoch: number
  /** Before the last bump by its own producer, -1: unknown. Not in the log, as in Kafka. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly state: TransactionState
  readonly partitions: TransactionPartitions
  /** When the first partition was added, milliseconds since 1970; -1: never. */
  readonly startTimestampMs: number
  readonly lastUpdateTimestampMs: number
  /** `transaction.version` of the client that changed it last (KIP-890). */
  readonly clientTransactionVersion: number
}

/** First `transaction.version` in which every transaction has an epoch of its own (KIP-890). */
export const EPOCH_BUMP_VERSION = 2

const MAX_EPOCH = 0x7fff
const NO_PARTITIONS: TransactionPartitions = new Map()

/** A transactional id that nobody used before. */
export function newTransaction(
  transactionalId: string,
  producerId: number,
  timeoutMs: number,
  nowMs: number,
): TransactionMetadata {
  return {
    transactionalId,
    producerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs,
    state: TransactionState.EMPTY,
    partitions: NO_PARTITIONS,
    startTimestampMs: -1,
    lastUpdateTimestampMs: nowMs,
    clientTransactionVersion: 0,
  }
}

/** The last epoch is kept for the coordinator, which must always be able to fence. */
export const isEpochExhausted = (epoch: number): boolean => epoch >= MAX_EPOCH - 1

/**
 * InitProducerId: the next epoch, so that earlier producers are fenced (KIP-98, KIP-360).
 * @param expectedEpoch of a producer that goes on after an error, null: a new producer
 * @returns null when the producer with that epoch is fenced already
 */
export function withNextEpoch(
  transaction: TransactionMetadata,
  timeoutMs: number,
  expectedEpoch: number | null,
  nowMs: number,
): TransactionMetadata | null {
  const { producerEpoch, lastProducerEpoch } = transaction
  assert(!isEpochExhausted(producerEpoch), 'a producer id with no epoch left is replaced')
  const epochs =
    expectedEpoch === null
      ? { producerEpoch: producerEpoch + 1, lastProducerEpoch: NO_PRODUCER_EPOCH }
      : producerEpoch === NO_PRODUCER_EPOCH || expectedEpoch === producerEpoch
        ? { producerEpoch: producerEpoch + 1, lastProducerEpoch: producerEpoch }
        : expectedEpoch === lastProducerEpoch
          ? // The answer to its first try was lost; nobody else came since, or this would be -1.
            { producerEpoch, lastProducerEpoch }
          : null
  return epochs === null ? null : { ...emptied(transaction, timeoutMs, nowMs), ...epochs }
}

/** InitProducerId of an id with no epoch left: a new producer id, epoch 0. */
export function withNewProducerId(
  transaction: TransactionMetadata,
  producerId: number,
  timeoutMs: number,
  isRecovery: boolean,
  nowMs: number,
): TransactionMetadata {
  return {
    ...emptied(transaction, timeoutMs, nowMs),
    producerId,
    producerEpoch: 0,
    lastProducerEpoch: isRecovery ? transaction.producerEpoch : NO_PRODUCER_EPOCH,
  }
}

/** The first partitions start the transaction. */
export function withPartitions(
  transaction: TransactionMetadata,
  added: readonly TopicPartition[],
  clientTransactionVersion: number,
  nowMs: number,
): TransactionMetadata {
  const isOngoing = transaction.state === TransactionState.ONGOING
  return {
    ...transaction,
    previousProducerId: transaction.producerId,
    state: TransactionState.ONGOING,
    partitions: union(transaction.partitions, added),
    startTimestampMs: isOngoing ? transaction.startTimestampMs : nowMs,
    lastUpdateTimestampMs: nowMs,
    clientTransactionVersion,
  }
}

/**
 * The decision to commit or abort; markers follow.
 * @param nextProducerId -1 unless the epochs of the present id are used up
 */
export function prepared(
  transaction: TransactionMetadata,
  isCommit: boolean,
  clientTransactionVersion: number,
  nextProducerId: number,
  nowMs: number,
): TransactionMetadata {
  const { producerEpoch, state } = transaction
  const bumps = clientTransactionVersion >= EPOCH_BUMP_VERSION
  const isEmpty = state !== TransactionState.ONGOING
  return {
    ...transaction,
    previousProducerId: transaction.producerId,
    nextProducerId,
    ...(bumps && {
      // Only an abort by the coordinator itself can meet an id at its very last epoch.
      producerEpoch: Math.min(producerEpoch + 1, MAX_EPOCH),
      lastProducerEpoch: producerEpoch,
    }),
    state: isCommit ? TransactionState.PREPARE_COMMIT : TransactionState.PREPARE_ABORT,
    startTimestampMs: isEmpty ? nowMs : transaction.startTimestampMs,
    lastUpdateTimestampMs: nowMs,
    clientTransactionVersion,
  }
}

/** The end that the coordinator decides: the producer is too late, or another took its place. */
export function fenced(
  transaction: TransactionMetadata,
  serverTransactionVersion: number,
  nowMs: number,
): TransactionMetadata {
  // From version 2 on the abort itself bumps the epoch; once is enough (KAFKA-19367).
  const bumped =
    serverTransactionVersion >= EPOCH_BUMP_VERSION
      ? transaction
      : {
          ...transaction,
          producerEpoch: Math.min(transaction.producerEpoch + 1, MAX_EPOCH),
          lastProducerEpoch: NO_PRODUCER_EPOCH,
        }
  return prepared(bumped, false, serverTransactionVersion, NO_PRODUCER_ID, nowMs)
}

/** All markers are written. */
export function completed(transaction: TransactionMetadata, nowMs: number): TransactionMetadata {
  const { producerId, nextProducerId, state } = transaction
  const hasNext = nextProducerId !== NO_PRODUCER_ID
  return {
    ...transaction,
    previousProducerId: producerId,
    producerId: hasNext ? nextProducerId : producerId,
    producerEpoch: hasNext ? 0 : transaction.producerEpoch,
    nextProducerId: NO_PRODUCER_ID,
    state:
      state === TransactionState.PREPARE_COMMIT
        ? TransactionState.COMPLETE_COMMIT
        : TransactionState.COMPLETE_ABORT,
    partitions: NO_PARTITIONS,
    lastUpdateTimestampMs: nowMs,
  }
}

export const isPrepared = ({ state }: TransactionMetadata): boolean =>
  state === TransactionState.PREPARE_COMMIT || state === TransactionState.PREPARE_ABORT

export const hasPartition = (
  { partitions }: TransactionMetadata,
  { topic, partition }: TopicPartition,
): boolean => partitions.get(topic)?.has(partition) ?? false

function emptied(
  transaction: TransactionMetadata,
  timeoutMs: number,
  nowMs: number,
): TransactionMetadata {
  return {
    ...transaction,
    previousProducerId: transaction.producerId,
    timeoutMs,
    state: TransactionState.EMPTY,
    partitions: NO_PARTITIONS,
    startTimestampMs: -1,
    lastUpdateTimestampMs: nowMs,
  }
}

function union(
  known: TransactionPartitions,
  added: readonly TopicPartition[],
): TransactionPartitions {
  const partitions = new Map([...known].map(([topic, indexes]) => [topic, new Set(indexes)]))
  for (const { topic, partition } of added) {
    const indexes = partitions.get(topic) ?? new Set<number>()
    indexes.add(partition)
    partitions.set(topic, indexes)
  }
  return partitions
}
