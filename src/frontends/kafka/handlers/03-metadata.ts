import { ErrorCode } from '../../../base/error-code.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import { isInternalTopic } from '../../../broker/topics/topic.ts'
import { problemOfTopicName } from '../../../broker/topics/topic-name.ts'
import type { MetadataStore, TopicImage } from '../../../ports/metadata-store.ts'
import { ZERO_UUID } from '../../../wire/kafka/codec.ts'
import {
  type MetadataRequest,
  type MetadataResponse,
  metadataApi,
} from '../../../wire/kafka/messages/03-metadata.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import {
  ALL_CLUSTER_OPERATIONS,
  ALL_TOPIC_OPERATIONS,
  NO_OPERATIONS,
} from './authorized-operations.ts'
import { describePartition } from './topic-description.ts'

export interface MetadataServices {
  readonly metadata: MetadataStore
  readonly partitions: PartitionLookup
  /** Starts to create a topic that a client asked for, if the broker is configured so. */
  readonly createOnUse: (topic: string) => void
  /** `broker.rack`; null: none. */
  readonly rack: string | null
}

type TopicAnswer = MetadataResponse['topics'][number]

/** First version that can ask by topic id; the two before carry ids in answers only (KIP-516). */
const IDS_SINCE = 12

/**
 * Metadata: who leads what. A topic that is missing is answered with UNKNOWN_TOPIC_OR_PARTITION even
 * when its creation starts now; the client asks again.
 */
export function metadataHandler(services: MetadataServices): KafkaHandler {
  return defineHandler(metadataApi, (request, exchange) => {
    const { image } = services.metadata
    const topics = answerTopics(services, request, exchange.apiVersion)
    if (topics === null) return refuse(request)
    const { host, port } = exchange.connection.advertised
    return {
      throttleTimeMs: 0,
      brokers: [{ nodeId: image.nodeId, host, port, rack: services.rack }],
      clusterId: image.clusterId,
      controllerId: image.nodeId,
      topics,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? ALL_CLUSTER_OPERATIONS
        : NO_OPERATIONS,
    }
  })
}

/** null: the request makes no sense. */
function answerTopics(
  services: MetadataServices,
  request: MetadataRequest,
  version: number,
): TopicAnswer[] | null {
  const { image } = services.metadata
  const asked = request.topics
  const operations = request.includeTopicAuthorizedOperations ? ALL_TOPIC_OPERATIONS : NO_OPERATIONS
  if (asked === null || (version === 0 && asked.length === 0)) {
    return [...image.topics.values()].map((topic) => answerFor(services, topic, operations))
  }
  const ids = new Set(asked.map(({ topicId }) => topicId).filter((id) => id !== ZERO_UUID))
  if (ids.size > 0) {
    if (version < IDS_SINCE) return null
    return [...ids].map((topicId) => {
      const topic = image.topicsById.get(topicId)
      if (topic !== undefined) return answerFor(services, topic, operations)
      return { ...absent(ErrorCode.UNKNOWN_TOPIC_ID, null), topicId }
    })
  }
  const names = new Set(asked.map(({ name }) => name))
  if (names.has(null)) return null
  return [...names].map((name) => {
    const topic = image.topics.get(name ?? '')
    if (topic !== undefined) return answerFor(services, topic, operations)
    if (problemOfTopicName(name ?? '') !== null) {
      return absent(ErrorCode.INVALID_TOPIC_EXCEPTION, name)
    }
    if (request.allowAutoTopicCreation) services.createOnUse(name ?? '')
    const missing = absent(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name)
    return { ...missing, topicAuthorizedOperations: operations }
  })
}

function answerFor(
  services: MetadataServices,
  topic: TopicImage,
  topicAuthorizedOperations: number,
): TopicAnswer {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((one) => describePartition(topic, one, services.partitions)),
    topicAuthorizedOperations,
  }
}

function absent(errorCode: ErrorCode, name: string | null): TopicAnswer {
  const isInternal = name !== null && isInternalTopic(name)
  return { errorCode, name, topicId: ZERO_UUID, isInternal, partitions: [] }
}

/** A topic without name and id, or an id in a version that has none to ask by. */
function refuse(request: MetadataRequest): MetadataResponse {
  const errorCode = ErrorCode.INVALID_REQUEST
  return {
    throttleTimeMs: 0,
    brokers: [],
    topics: (request.topics ?? []).map(({ name, topicId }) => ({
      errorCode,
      name: name ?? '',
      topicId,
      isInternal: false,
      partitions: [],
    })),
    errorCode,
  }
}
