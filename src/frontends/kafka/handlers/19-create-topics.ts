import type { DescribedConfig } from '../../../broker/configs/config-describer.ts'
import { describeTopicConfig } from '../../../broker/configs/config-describer.ts'
import type { CreatedTopic, TopicAdmin } from '../../../broker/topics/topic-admin.ts'
import {
  type CreateTopicsResponse,
  createTopicsApi,
} from '../../../wire/kafka/messages/19-create-topics.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface CreateTopicsServices {
  readonly topicAdmin: TopicAdmin
}

/** CreateTopics: answered when the topics can be used, whatever the timeout of the request. */
export function createTopicsHandler({ topicAdmin }: CreateTopicsServices): KafkaHandler {
  return defineHandler(createTopicsApi, async ({ topics, validateOnly }) => {
    const wanted = topics.map((topic) => ({
      name: topic.name,
      partitionCount: topic.numPartitions,
      replicationFactor: topic.replicationFactor,
      assignments: topic.assignments.map(({ partitionIndex, brokerIds }) => ({
        partition: partitionIndex,
        brokerIds,
      })),
      configs: topic.configs,
    }))
    const created = await topicAdmin.createTopics(wanted, validateOnly)
    return { throttleTimeMs: 0, topics: created.map(answerOf) }
  })
}

/** A refused topic has an empty list of configs, never null: the Java client reads it. */
function answerOf(topic: CreatedTopic): CreateTopicsResponse['topics'][number] {
  const { name, errorCode, errorMessage, created } = topic
  if (created === null) return { name, errorCode, errorMessage, configs: [] }
  return {
    name,
    topicId: created.topicId,
    errorCode,
    errorMessage,
    numPartitions: created.partitionCount,
    replicationFactor: 1,
    configs: describeTopicConfig(created.config, null).map(configOf),
  }
}

const configOf = ({ name, value, isReadOnly, source, isSensitive }: DescribedConfig) => ({
  name,
  value,
  readOnly: isReadOnly,
  configSource: source,
  isSensitive,
})
