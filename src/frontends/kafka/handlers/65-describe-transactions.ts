import type { TransactionCoordinator } from '../../../broker/transactions/transaction-coordinator.ts'
import type { DescribedTransaction } from '../../../broker/transactions/transaction-requests.ts'
import { describeTransactionsApi } from '../../../wire/kafka/messages/65-describe-transactions.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface DescribeTransactionsServices {
  readonly transactions: Pick<TransactionCoordinator, 'describe'>
}

/** DescribeTransactions (KIP-664). */
export function describeTransactionsHandler({
  transactions,
}: DescribeTransactionsServices): KafkaHandler {
  return defineHandler(describeTransactionsApi, async ({ transactionalIds }) => {
    const described = await Promise.all(transactionalIds.map((id) => transactions.describe(id)))
    return { throttleTimeMs: 0, transactionStates: described.map(toWire) }
  })
}

const toWire = (described: DescribedTransaction) => ({
  errorCode: described.errorCode,
  transactionalId: described.transactionalId,
  transactionState: described.state,
  transactionTimeoutMs: described.timeoutMs,
  transactionStartTimeMs: described.startTimestampMs,
  producerId: described.producerId,
  producerEpoch: described.producerEpoch,
  topics: [...described.partitions].map(([topic, partitions]) => ({
    topic,
    partitions: [...partitions],
  })),
})
