import type { TopicAdmin } from '../../../broker/topics/topic-admin.ts'
import { ZERO_UUID } from '../../../wire/kafka/codec.ts'
import { deleteTopicsApi } from '../../../wire/kafka/messages/20-delete-topics.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface DeleteTopicsServices {
  readonly topicAdmin: TopicAdmin
}

/** First version that names topics by structs, with a name or an id (KIP-516). */
const STRUCTS_SINCE = 6

export function deleteTopicsHandler({ topicAdmin }: DeleteTopicsServices): KafkaHandler {
  return defineHandler(deleteTopicsApi, async (request, { apiVersion }) => {
    const references =
      apiVersion >= STRUCTS_SINCE
        ? request.topics.map(({ name, topicId }) => ({
            name,
            topicId: topicId === ZERO_UUID ? null : topicId,
          }))
        : request.topicNames.map((name) => ({ name, topicId: null }))
    const deleted = await topicAdmin.deleteTopics(references)
    const responses = deleted.map(({ name, topicId, errorCode, errorMessage }) => ({
      name,
      topicId: topicId ?? ZERO_UUID,
      errorCode,
      errorMessage,
    }))
    return { throttleTimeMs: 0, responses }
  })
}
