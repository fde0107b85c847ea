import { ErrorCode } from '../../../base/error-code.ts'
import type { TransactionCoordinator } from '../../../broker/transactions/transaction-coordinator.ts'
import { EPOCH_BUMP_VERSION } from '../../../broker/transactions/transaction-metadata.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import {
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  addPartitionsToTxnApi,
} from '../../../wire/kafka/messages/24-add-partitions-to-txn.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { FENCED_SINCE, fencedCode } from './fenced-code.ts'

export interface AddPartitionsToTxnServices {
  readonly transactions: Pick<TransactionCoordinator, 'addPartitions' | 'verifyPartitions'>
  readonly metadata: Pick<MetadataStore, 'image'>
}

/** First version with several transactions, made for brokers (KIP-890). */
const TRANSACTIONS_SINCE = 4

type Transaction = NonNullable<AddPartitionsToTxnRequest['transactions']>[number]
type TopicResult = NonNullable<AddPartitionsToTxnResponse['resultsByTopicV3AndBelow']>[number]

/**
 * AddPartitionsToTxn: all partitions become part of the transaction, or none if one does not exist.
 * Whoever may write in the transaction may use the versions for brokers: clients do.
 */
export function addPartitionsToTxnHandler(services: AddPartitionsToTxnServices): KafkaHandler {
  return defineHandler(addPartitionsToTxnApi, async (request, { apiVersion }) => {
    if (apiVersion < TRANSACTIONS_SINCE) {
      const transaction = {
        transactionalId: request.v3AndBelowTransactionalId,
        producerId: request.v3AndBelowProducerId,
        producerEpoch: request.v3AndBelowProducerEpoch,
        verifyOnly: false,
        topics: request.v3AndBelowTopics,
      }
      const results = await add(services, transaction, apiVersion)
      return { throttleTimeMs: 0, resultsByTopicV3AndBelow: results }
    }
    const results = request.transactions.map(async (transaction) => ({
      transactionalId: transaction.transactionalId,
      topicResults: await add(services, transaction, apiVersion),
    }))
    const resultsByTransaction = await Promise.all(results)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, resultsByTransaction }
  })
}

async function add(
  { transactions, metadata }: AddPartitionsToTxnServices,
  transaction: Transaction,
  apiVersion: number,
): Promise<TopicResult[]> {
  const { transactionalId, producerId, producerEpoch, verifyOnly, topics } = transaction
  const partitions = topics.flatMap(({ name: topic, partitions: indexes }) =>
    indexes.map((partition) => ({ topic, partition })),
  )
  const isKnown = partitions.map(
    ({ topic, partition }) => metadata.image.topics.get(topic)?.partitions[partition] !== undefined,
  )
  const codes = isKnown.every(Boolean)
    ? await new Promise<readonly ErrorCode[]>((resolve) => {
        const request = { transactionalId, producerId, producerEpoch, partitions }
        if (verifyOnly) transactions.verifyPartitions(request, resolve)
        else {
          const isNew = apiVersion >= TRANSACTIONS_SINCE
          const clientTransactionVersion = isNew ? EPOCH_BUMP_VERSION : 0
          transactions.addPartitions({ ...request, clientTransactionVersion }, (code) =>
            resolve(partitions.map(() => code)),
          )
        }
      })
    : isKnown.map((known) =>
        known ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      )
  let next = 0
  return topics.map(({ name, partitions: indexes }) => ({
    name,
    resultsByPartition: indexes.map((partitionIndex) => {
      const code = codes[next++] ?? ErrorCode.UNKNOWN_SERVER_ERROR
      return { partitionIndex, partitionErrorCode: fencedCode(code, apiVersion, FENCED_SINCE) }
    }),
  }))
}
