import { ErrorCode } from '../../../base/error-code.ts'
import type { Clock } from '../../../ports/clock.ts'
import { describeQuorumApi } from '../../../wire/kafka/messages/55-describe-quorum.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface DescribeQuorumServices {
  readonly nodeId: number
  readonly clock: Clock
  /** The metadata log of this node, which is its own quorum. */
  readonly quorum: {
    readonly leaderEpoch: number
    readonly logEndOffset: number
    readonly directoryId: string
  }
}

const METADATA_TOPIC = '__cluster_metadata'

/** DescribeQuorum (KIP-595): this node is the leader and the only voter. */
export function describeQuorumHandler(services: DescribeQuorumServices): KafkaHandler {
  return defineHandler(describeQuorumApi, ({ topics }) => {
    const isMetadata = (topic: string, partition: number): boolean =>
      topic === METADATA_TOPIC && partition === 0
    const isAsked = topics.some(({ topicName, partitions }) =>
      partitions.some(({ partitionIndex }) => isMetadata(topicName, partitionIndex)),
    )
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: '',
      topics: topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) =>
          isMetadata(topicName, partitionIndex) ? describe(services) : unknown(partitionIndex),
        ),
      })),
      nodes: isAsked ? [{ nodeId: services.nodeId, listeners: [] }] : [],
    }
  })
}

function describe({ nodeId, clock, quorum }: DescribeQuorumServices) {
  const nowMs = clock.nowMs()
  const voter = {
    replicaId: nodeId,
    replicaDirectoryId: quorum.directoryId,
    logEndOffset: quorum.logEndOffset,
    lastFetchTimestamp: nowMs,
    lastCaughtUpTimestamp: nowMs,
  }
  return {
    partitionIndex: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    leaderId: nodeId,
    leaderEpoch: quorum.leaderEpoch,
    highWatermark: quorum.logEndOffset,
    currentVoters: [voter],
    observers: [],
  }
}

const unknown = (partitionIndex: number) => ({
  partitionIndex,
  errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorMessage: 'This server does not host this topic-partition.',
  leaderId: 0,
  leaderEpoch: 0,
  highWatermark: 0,
  currentVoters: [],
  observers: [],
})
