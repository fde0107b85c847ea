import type { SharePartitionKey } from '../../../broker/share/coordinator/share-partition-key.ts'

interface TopicOf<P> {
  readonly topicId: string
  readonly partitions: readonly P[]
}

/**
 * Asks for each partition of a request about share group state. A request without a group or with a
 * topic that names no partition has no results, as in Kafka.
 */
export async function ofEachPartition<P extends { readonly partition: number }, R>(
  groupId: string,
  topics: readonly TopicOf<P>[],
  ask: (key: SharePartitionKey, partition: P) => Promise<R>,
): Promise<{ topicId: string; partitions: R[] }[]> {
  if (groupId === '' || topics.some(({ partitions }) => partitions.length === 0)) return []
  return Promise.all(
    topics.map(async ({ topicId, partitions }) => ({
      topicId,
      partitions: await Promise.all(
        partitions.map((one) => ask({ groupId, topicId, partition: one.partition }, one)),
      ),
    })),
  )
}
