import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError } from '../../base/errors.ts'
import type { PartitionImage } from '../../ports/metadata-store.ts'

/** A client says where the replicas of a partition shall be. */
export interface PartitionAssignment {
  readonly partition: number
  readonly brokerIds: readonly number[]
}

/** A new partition on the only broker there is. */
export function newPartition(partition: number, nodeId: number): PartitionImage {
  return {
    partition,
    replicas: [nodeId],
    isr: [nodeId],
    leaderId: nodeId,
    leaderEpoch: 0,
    partitionEpoch: 0,
  }
}

/**
 * Partitions where a client wants them, in order.
 * @throws BrokerError INVALID_REPLICA_ASSIGNMENT in Kafka's words
 */
export function assignedPartitions(
  assignments: readonly PartitionAssignment[],
  nodeId: number,
): PartitionImage[] {
  const byPartition = new Map<number, PartitionAssignment>()
  for (const assignment of assignments) {
    const { partition, brokerIds } = assignment
    if (byPartition.has(partition)) {
      throw invalid(`Found multiple manual partition assignments for partition ${partition}`)
    }
    checkReplicas(brokerIds, nodeId)
    byPartition.set(partition, assignment)
  }
  return Array.from({ length: byPartition.size }, (_, partition) => {
    if (!byPartition.has(partition)) {
      throw invalid('partitions should be a consecutive 0-based integer sequence')
    }
    return newPartition(partition, nodeId)
  })
}

/** @throws BrokerError INVALID_REPLICA_ASSIGNMENT unless the replicas are exactly this node */
export function checkReplicas(brokerIds: readonly number[], nodeId: number): void {
  if (brokerIds.length === 0) {
    throw invalid('The manual partition assignment includes an empty replica list.')
  }
  const sorted = [...brokerIds].sort((a, b) => a - b)
  for (const [index, brokerId] of sorted.entries()) {
    if (brokerId !== nodeId) {
      throw invalid(
        `The manual partition assignment includes broker ${brokerId}, but no such broker is ` +
          'registered.',
      )
    }
    if (index > 0) {
      throw invalid(
        `The manual partition assignment includes the broker ${brokerId} more than once.`,
      )
    }
  }
}

const invalid = (message: string): BrokerError =>
  new BrokerError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
