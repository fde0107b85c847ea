import { ErrorCode } from '../../../base/error-code.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import type { PartitionImage, TopicImage } from '../../../ports/metadata-store.ts'

/** A partition as Metadata and DescribeTopicPartitions show it. */
export interface PartitionDescription {
  readonly errorCode: ErrorCode
  readonly partitionIndex: number
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly replicaNodes: readonly number[]
  readonly isrNodes: readonly number[]
  readonly offlineReplicas: readonly number[]
}

/** A partition whose log failed has no leader: clients ask again until a restart mended it. */
export function describePartition(
  topic: TopicImage,
  image: PartitionImage,
  partitions: PartitionLookup,
): PartitionDescription {
  const { partition: partitionIndex, leaderId, leaderEpoch, replicas, isr } = image
  const isFailed = partitions.partition(topic.name, partitionIndex)?.log.isFailed ?? false
  return {
    errorCode: isFailed ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
    partitionIndex,
    leaderId: isFailed ? -1 : leaderId,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    offlineReplicas: isFailed ? replicas : [],
  }
}
