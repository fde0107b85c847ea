import type { ErrorCode } from '../../../base/error-code.ts'
import { OFFSETS_TOPIC } from '../../../broker/coordinator/internal-topics.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import type { TransactionCoordinator } from '../../../broker/transactions/transaction-coordinator.ts'
import {
  type AddOffsetsToTxnRequest,
  addOffsetsToTxnApi,
} from '../../../wire/kafka/messages/25-add-offsets-to-txn.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { FENCED_SINCE, fencedCode } from './fenced-code.ts'

export interface AddOffsetsToTxnServices {
  readonly transactions: Pick<TransactionCoordinator, 'addPartitions'>
  readonly groups: Pick<GroupCoordinator, 'locate' | 'partitionFor'>
}

/** AddOffsetsToTxn: the partition that holds the offsets of a group becomes part of the transaction. */
export function addOffsetsToTxnHandler(services: AddOffsetsToTxnServices): KafkaHandler {
  return defineHandler(addOffsetsToTxnApi, async (request, { apiVersion }) => ({
    throttleTimeMs: 0,
    errorCode: fencedCode(await add(services, request), apiVersion, FENCED_SINCE),
  }))
}

function add(
  { transactions, groups }: AddOffsetsToTxnServices,
  { transactionalId, producerId, producerEpoch, groupId }: AddOffsetsToTxnRequest,
): Promise<ErrorCode> {
  // The topic may not be there yet, which not all clients can wait for; now it is being created.
  groups.locate(groupId)
  const partitions = [{ topic: OFFSETS_TOPIC, partition: groups.partitionFor(groupId) }]
  return new Promise((resolve) => {
    const identity = { transactionalId, producerId, producerEpoch }
    transactions.addPartitions({ ...identity, partitions, clientTransactionVersion: 0 }, resolve)
  })
}
