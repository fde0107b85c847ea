import { ErrorCode } from '../../../base/error-code.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import { isInternalTopic } from '../../../broker/topics/topic.ts'
import { problemOfTopicName } from '../../../broker/topics/topic-name.ts'
import type { MetadataStore, TopicImage } from '../../../ports/metadata-store.ts'
import { ZERO_UUID } from '../../../wire/kafka/codec.ts'
import {
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
  describeTopicPartitionsApi,
} from '../../../wire/kafka/messages/75-describe-topic-partitions.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ALL_TOPIC_OPERATIONS } from './authorized-operations.ts'
import { describePartition } from './topic-description.ts'

export interface DescribeTopicPartitionsServices {
  readonly metadata: MetadataStore
  readonly partitions: PartitionLookup
  /** `max.request.partition.size.limit` */
  readonly maxPartitions: () => number
}

type TopicAnswer = DescribeTopicPartitionsResponse['topics'][number]
type Cursor = { readonly topicName: string; readonly partitionIndex: number }

/** DescribeTopicPartitions (KIP-966): topics by name, so many partitions at a time. */
export function describeTopicPartitionsHandler(
  services: DescribeTopicPartitionsServices,
): KafkaHandler {
  return defineHandler(describeTopicPartitionsApi, (request) => {
    const { cursor, topics } = request
    const names = new Set(topics.map(({ name }) => name))
    const isUnfit =
      cursor !== null &&
      (cursor.partitionIndex < 0 || (names.size > 0 && !names.has(cursor.topicName)))
    if (isUnfit) return refuse([...names])
    return answer(services, request, names)
  })
}

function answer(
  services: DescribeTopicPartitionsServices,
  request: DescribeTopicPartitionsRequest,
  asked: ReadonlySet<string>,
): DescribeTopicPartitionsResponse {
  const { cursor, responsePartitionLimit } = request
  const { image } = services.metadata
  const names = [...(asked.size === 0 ? image.topics.keys() : asked)]
    .filter((name) => cursor === null || name >= cursor.topicName)
    .sort(byCodeUnits)
  let room = Math.max(1, Math.min(responsePartitionLimit, services.maxPartitions()))
  const topics: TopicAnswer[] = []
  let nextCursor: Cursor | null = null
  for (const name of names) {
    if (room === 0) {
      nextCursor = { topicName: name, partitionIndex: 0 }
      break
    }
    const topic = image.topics.get(name)
    if (topic === undefined) {
      topics.push(missing(name))
      continue
    }
    const first = cursor?.topicName === name ? cursor.partitionIndex : 0
    const end = Math.min(topic.partitions.length, first + room)
    topics.push(answerFor(services, topic, first, end))
    room -= Math.max(0, end - first)
    if (end < topic.partitions.length) {
      nextCursor = { topicName: name, partitionIndex: end }
      break
    }
  }
  return { throttleTimeMs: 0, topics, nextCursor }
}

/** Eligible leader replicas are empty lists, never null: the Java client reads them. */
function answerFor(
  { partitions }: DescribeTopicPartitionsServices,
  topic: TopicImage,
  first: number,
  end: number,
): TopicAnswer {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.slice(first, end).map((one) => ({
      ...describePartition(topic, one, partitions),
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    })),
    topicAuthorizedOperations: ALL_TOPIC_OPERATIONS,
  }
}

function missing(name: string): TopicAnswer {
  const isValid = problemOfTopicName(name) === null
  return {
    errorCode: isValid ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION,
    name,
    topicId: ZERO_UUID,
    isInternal: isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: ALL_TOPIC_OPERATIONS,
  }
}

function refuse(names: readonly string[]): DescribeTopicPartitionsResponse {
  const errorCode = ErrorCode.INVALID_REQUEST
  return {
    throttleTimeMs: 0,
    topics: names.map((name) => ({ errorCode, name, topicId: ZERO_UUID, partitions: [] })),
    nextCursor: null,
  }
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
