import { ErrorCode } from '../../../base/error-code.ts'
import {
  NO_TOPIC_ID,
  type OffsetCommitTopic,
  type TopicErrors,
} from '../../../broker/groups/offset-requests.ts'
import type { MetadataImage, TopicImage } from '../../../ports/metadata-store.ts'

/** A topic of OffsetCommit or TxnOffsetCommit. */
interface RequestTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedLeaderEpoch: number
    readonly committedMetadata: string | null
  }[]
}

interface Outcome {
  readonly topic: RequestTopic
  /** By place in the request; undefined: the group will say. */
  readonly errors: (ErrorCode | undefined)[]
  /** What the group is asked, null: nothing. */
  readonly commit: OffsetCommitTopic | null
}

/**
 * Commits what is asked for topics and partitions that exist. What is unknown never reaches the
 * group; the answer keeps the order of the request.
 * @param isById topics are named by their ids
 */
export async function commitToTopics(
  topics: readonly RequestTopic[],
  isById: boolean,
  image: MetadataImage,
  commit: (topics: readonly OffsetCommitTopic[]) => Promise<readonly TopicErrors[]>,
) {
  const outcomes = topics.map((topic) => outcomeOf(topic, isById, image))
  const known = outcomes.flatMap((outcome) => (outcome.commit === null ? [] : [outcome.commit]))
  if (known.length > 0) {
    const committed = await commit(known)
    let next = 0
    for (const outcome of outcomes) {
      if (outcome.commit !== null) take(outcome, committed[next++])
    }
  }
  return outcomes.map(({ topic, errors }) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(({ partitionIndex }, index) => ({
      partitionIndex,
      errorCode: errors[index] ?? ErrorCode.UNKNOWN_SERVER_ERROR,
    })),
  }))
}

function outcomeOf(topic: RequestTopic, isById: boolean, image: MetadataImage): Outcome {
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
