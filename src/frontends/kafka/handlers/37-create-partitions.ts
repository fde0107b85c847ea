import type { TopicAdmin } from '../../../broker/topics/topic-admin.ts'
import { createPartitionsApi } from '../../../wire/kafka/messages/37-create-partitions.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface CreatePartitionsServices {
  readonly topicAdmin: TopicAdmin
}

/** CreatePartitions (KIP-195). */
export function createPartitionsHandler({ topicAdmin }: CreatePartitionsServices): KafkaHandler {
  return defineHandler(createPartitionsApi, async ({ topics, validateOnly }) => {
    const wanted = topics.map(({ name, count, assignments }) => ({
      name,
      partitionCount: count,
      assignments: assignments?.map(({ brokerIds }) => brokerIds) ?? null,
    }))
    const results = await topicAdmin.createPartitions(wanted, validateOnly)
    return { throttleTimeMs: 0, results }
  })
}
