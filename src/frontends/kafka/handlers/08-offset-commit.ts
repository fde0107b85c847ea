import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import { offsetCommitApi } from '../../../wire/kafka/messages/08-offset-commit.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { commitToTopics } from './offset-commit-topics.ts'

export interface OffsetCommitServices {
  readonly groups: Pick<GroupCoordinator, 'commitOffsets'>
  readonly metadata: Pick<MetadataStore, 'image'>
}

/** First version with topic ids in place of names. */
const TOPIC_IDS_SINCE = 10
/** KIP-848: first version whose clients know GROUP_ID_NOT_FOUND. */
const GROUP_ID_NOT_FOUND_SINCE = 9

/** OffsetCommit. */
export function offsetCommitHandler({ groups, metadata }: OffsetCommitServices): KafkaHandler {
  return defineHandler(offsetCommitApi, async (request, { apiVersion }) => {
    const isById = apiVersion >= TOPIC_IDS_SINCE
    const topics = await commitToTopics(request.topics, isById, metadata.image, (known) =>
      groups.commitOffsets({
        groupId: request.groupId,
        generationId: request.generationIdOrMemberEpoch,
        memberId: request.memberId,
        groupInstanceId: request.groupInstanceId,
        retentionTimeMs: request.retentionTimeMs,
        knowsGroupIdNotFound: apiVersion >= GROUP_ID_NOT_FOUND_SINCE,
        topics: known,
      }),
    )
    return { topics }
  })
}
