import { ErrorCode } from '../../../base/error-code.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import {
  NO_TOPIC_ID,
  type OffsetCommitTopic,
  type TopicErrors,
} from '../../../broker/groups/offset-requests.ts'
import type { MetadataImage, MetadataStore, TopicImage } from '../../../ports/metadata-store.ts'
import {
  type OffsetCommitRequest,
  offsetCommitApi,
} from '../../../wire/kafka/messages/08-offset-commit.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface OffsetCommitServices {
  readonly groups: Pick<GroupCoordinator, 'commitOffsets'>
  readonly metadata: Pick<MetadataStore, 'image'>
}

type RequestTopic = OffsetCommitRequest['topics'][number]

/** First version with topic ids in place of names. */
const TOPIC_IDS_SINCE = 10
/** KIP-848: first version whose clients know GROUP_ID_NOT_FOUND. */
const GROUP_ID_NOT_FOUND_SINCE = 9

/**
 * OffsetCommit. What topic or partition is unknown never reaches the group; the answer keeps the
 * order of the request.
 */
export function offsetCommitHandler({ groups, metadata }: OffsetCommitServices): KafkaHandler {
  return defineHandler(offsetCommitApi, async (request, { apiVersion }) => {
    const outcomes = request.topics.map((topic) => outcomeOf(topic, apiVersion, metadata.image))
    const known = outcomes.flatMap(({ commit }) => (commit === null ? [] : [commit]))
    if (known.length > 0) {
      const committed = await groups.commitOffsets({
        groupId: request.groupId,
        generationId: request.generationIdOrMemberEpoch,
        memberId: request.memberId,
        groupInstanceId: request.groupInstanceId,
        retentionTimeMs: request.retentionTimeMs,
        knowsGroupIdNotFound: apiVersion >= GROUP_ID_NOT_FOUND_SINCE,
        topics: known,
      })
      let next = 0
      for (const outcome of outcomes) {
        if (outcome.commit !== null) take(outcome, committed[next++])
      }
    }
    return {
      topics: outcomes.map(({ topic, errors }) => ({
        name: topic.name,
        topicId: topic.topicId,
        partitions: topic.partitions.map(({ partitionIndex }, index) => ({
          partitionIndex,
          errorCode: errors[index] ?? ErrorCode.UNKNOWN_SERVER_ERROR,
        })),
      })),
    }
  })
}

interface Outcome {
  readonly topic: RequestTopic
  /** By place in the request; undefined: the group will say. */
  readonly errors: (ErrorCode | undefined)[]
  /** What the group is asked, null: nothing. */
  readonly commit: OffsetCommitTopic | null
}

function outcomeOf(topic: RequestTopic, apiVersion: number, image: MetadataImage): Outcome {
  const isById = apiVersion >= TOPIC_IDS_SINCE
  const known = isById ? image.topicsById.get(topic.topicId) : image.topics.get(topic.name)
  const unknown = isById ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  if (known === undefined) {
    return { topic, errors: topic.partitions.map(() => unknown), commit: null }
  }
  const errors = topic.partitions.map(({ partitionIndex }) =>
    hasPartition(known, partitionIndex) ? undefined : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  )
  const partitions = topic.partitions
    .filter((_, index) => errors[index] === undefined)
    .map((partition) => ({
      partition: partition.partitionIndex,
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata: partition.committedMetadata,
    }))
  const commit = { name: known.name, topicId: known.topicId ?? NO_TOPIC_ID, partitions }
  return { topic, errors, commit: partitions.length === 0 ? null : commit }
}

function take({ errors }: Outcome, committed: TopicErrors | undefined): void {
  let next = 0
  for (const [index, errorCode] of errors.entries()) {
    if (errorCode === undefined) errors[index] = committed?.partitions[next++]?.errorCode
  }
}

const hasPartition = ({ partitions }: TopicImage, index: number): boolean =>
  partitions[index] !== undefined
