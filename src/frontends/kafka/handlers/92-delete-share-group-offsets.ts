import type { ShareGroupService } from '../../../broker/share/share-group-service.ts'
import { deleteShareGroupOffsetsApi } from '../../../wire/kafka/messages/92-delete-share-group-offsets.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface DeleteShareGroupOffsetsServices {
  readonly shareGroups: Pick<ShareGroupService, 'deleteOffsets'>
}

/** DeleteShareGroupOffsets: a group without members forgets what it read of topics (KIP-932). */
export function deleteShareGroupOffsetsHandler({
  shareGroups,
}: DeleteShareGroupOffsetsServices): KafkaHandler {
  return defineHandler(deleteShareGroupOffsetsApi, async ({ groupId, topics }) => {
    const names = topics.map(({ topicName }) => topicName)
    const { topics: responses, ...outcome } = await shareGroups.deleteOffsets(groupId, names)
    return { throttleTimeMs: 0, ...outcome, responses: [...responses] }
  })
}
