import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import { checkReplicas } from '../../../broker/topics/partition-assignment.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import { alterPartitionReassignmentsApi } from '../../../wire/kafka/messages/45-alter-partition-reassignments.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface AlterPartitionReassignmentsServices {
  readonly metadata: MetadataStore
}

interface Outcome {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

/**
 * AlterPartitionReassignments (KIP-455): on one node a partition can only stay where it is, so the
 * one assignment that is accepted changes nothing, and there is never one to cancel.
 */
export function alterPartitionReassignmentsHandler(
  services: AlterPartitionReassignmentsServices,
): KafkaHandler {
  return defineHandler(alterPartitionReassignmentsApi, (request) => ({
    throttleTimeMs: 0,
    allowReplicationFactorChange: request.allowReplicationFactorChange,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    responses: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, replicas }) => ({
        partitionIndex,
        ...reassign(services.metadata, name, partitionIndex, replicas),
      })),
    })),
  }))
}

function reassign(
  { image }: MetadataStore,
  topic: string,
  partition: number,
  replicas: readonly number[] | null,
): Outcome {
  const found = image.topics.get(topic)
  if (found === undefined) {
    return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find a topic named ${topic}.`)
  }
  if (found.partitions[partition] === undefined) {
    const message = `Unable to find partition ${topic}:${partition}.`
    return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message)
  }
  if (replicas === null) return failed(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, null)
  try {
    checkReplicas(replicas, image.nodeId)
    return failed(ErrorCode.NONE, null)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    return failed(error.code, error.message)
  }
}

const failed = (errorCode: ErrorCode, errorMessage: string | null): Outcome => ({
  errorCode,
  errorMessage,
})
