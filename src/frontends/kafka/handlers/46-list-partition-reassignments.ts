import { ErrorCode } from '../../../base/error-code.ts'
import { listPartitionReassignmentsApi } from '../../../wire/kafka/messages/46-list-partition-reassignments.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

/** ListPartitionReassignments (KIP-455): one node never moves a replica. */
export function listPartitionReassignmentsHandler(): KafkaHandler {
  return defineHandler(listPartitionReassignmentsApi, () => ({
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    topics: [],
  }))
}
