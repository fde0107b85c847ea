import { ErrorCode } from '../../../base/error-code.ts'
import { leaderEpochError } from '../../../broker/fetch-purgatory/read-partition.ts'
import type { Partition } from '../../../broker/topics/partition.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import {
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
  offsetForLeaderEpochApi,
} from '../../../wire/kafka/messages/23-offset-for-leader-epoch.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

type PartitionRequest = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number]
type PartitionResponse = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number]

/** OffsetForLeaderEpoch (KIP-320): where an epoch ends, so that clients notice a truncation. */
export function offsetForLeaderEpochHandler(services: {
  partitions: PartitionLookup
}): KafkaHandler {
  return defineHandler(offsetForLeaderEpochApi, (request) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((asked) =>
        endOf(services.partitions.partition(topic, asked.partition), asked),
      ),
    })),
  }))
}

/** An epoch we never had is no error: -1 and -1. */
function endOf(owned: Partition | undefined, asked: PartitionRequest): PartitionResponse {
  const { partition, currentLeaderEpoch, leaderEpoch } = asked
  if (owned === undefined) return { partition, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
  const { availability } = owned
  if (availability !== ErrorCode.NONE) return { partition, errorCode: availability }
  const errorCode = leaderEpochError(currentLeaderEpoch, owned.log.leaderEpoch)
  if (errorCode !== ErrorCode.NONE) return { partition, errorCode }
  const end = owned.log.endOffsetForEpoch(leaderEpoch)
  return {
    partition,
    errorCode: ErrorCode.NONE,
    leaderEpoch: end?.leaderEpoch ?? -1,
    endOffset: end?.endOffset ?? -1,
  }
}
