import type { ShareGroupService } from '../../../broker/share/share-group-service.ts'
import { alterShareGroupOffsetsApi } from '../../../wire/kafka/messages/91-alter-share-group-offsets.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface AlterShareGroupOffsetsServices {
  readonly shareGroups: Pick<ShareGroupService, 'alterOffsets'>
}

/** AlterShareGroupOffsets: sets where a group without members goes on (KIP-932). */
export function alterShareGroupOffsetsHandler({
  shareGroups,
}: AlterShareGroupOffsetsServices): KafkaHandler {
  return defineHandler(alterShareGroupOffsetsApi, async ({ groupId, topics }) => {
    const altered = topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex: partition, startOffset }) => ({
        partition,
        startOffset,
      })),
    }))
    const { topics: responses, ...outcome } = await shareGroups.alterOffsets(groupId, altered)
    return {
      throttleTimeMs: 0,
      ...outcome,
      responses: responses.map(({ partitions, ...topic }) => ({
        ...topic,
        partitions: partitions.map(({ partition: partitionIndex, ...one }) => ({
          partitionIndex,
          ...one,
        })),
      })),
    }
  })
}
