import { ErrorCode } from '../../../base/error-code.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import { problemOfTopicName } from '../../../broker/topics/topic-name.ts'
import { describeProducersApi } from '../../../wire/kafka/messages/61-describe-producers.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface DescribeProducersServices {
  readonly partitions: PartitionLookup
}

/** DescribeProducers (KIP-664): the idempotent producers a partition remembers. */
export function describeProducersHandler({ partitions }: DescribeProducersServices): KafkaHandler {
  return defineHandler(describeProducersApi, ({ topics }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((index) => describe(partitions, name, index)),
    })),
  }))
}

function describe(partitions: PartitionLookup, topic: string, partitionIndex: number) {
  const failed = (errorCode: ErrorCode, errorMessage: string | null) => ({
    partitionIndex,
    errorCode,
    errorMessage,
    activeProducers: [],
  })
  const problem = problemOfTopicName(topic)
  if (problem !== null) return failed(ErrorCode.INVALID_TOPIC_EXCEPTION, problem)
  const partition = partitions.partition(topic, partitionIndex)
  if (partition === undefined) return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null)
  if (partition.availability !== ErrorCode.NONE) return failed(partition.availability, null)
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    activeProducers: partition.log.activeProducers().map((producer) => ({
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      lastSequence: producer.lastSequence,
      lastTimestamp: producer.lastTimestampMs,
      coordinatorEpoch: producer.coordinatorEpoch,
      currentTxnStartOffset: producer.currentTransactionFirstOffset,
    })),
  }
}
