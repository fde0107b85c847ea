import { ErrorCode } from '../../../base/error-code.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import {
  type FetchedTopic,
  NO_TOPIC_ID,
  type OffsetFetchResult,
  type OffsetFetchTopic,
} from '../../../broker/groups/offset-requests.ts'
import type { MetadataImage, MetadataStore } from '../../../ports/metadata-store.ts'
import {
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  offsetFetchApi,
} from '../../../wire/kafka/messages/09-offset-fetch.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface OffsetFetchServices {
  readonly groups: Pick<GroupCoordinator, 'fetchOffsets'>
  readonly metadata: Pick<MetadataStore, 'image'>
}

/** First version with several groups in one request (KIP-709). */
const GROUPS_SINCE = 8
/** First version with topic ids in place of names. */
const TOPIC_IDS_SINCE = 10
/** First version with an error code of its own; before, each partition carries it. */
const ERROR_CODE_SINCE = 2

type RequestGroup = OffsetFetchRequest['groups'][number]
type ResponseGroup = NonNullable<OffsetFetchResponse['groups']>[number]

/** OffsetFetch. A group or partition nobody committed to is no error: its offset is -1. */
export function offsetFetchHandler(services: OffsetFetchServices): KafkaHandler {
  return defineHandler(offsetFetchApi, async (request, { apiVersion }) => {
    if (apiVersion < GROUPS_SINCE) return fetchOne(services, request, apiVersion)
    const groups = request.groups.map((group) =>
      fetchGroup(services, group, request.requireStable, apiVersion),
    )
    return { groups: await Promise.all(groups) }
  })
}

async function fetchOne(
  { groups, metadata }: OffsetFetchServices,
  request: OffsetFetchRequest,
  apiVersion: number,
): Promise<OffsetFetchResponse> {
  const { groupId, requireStable } = request
  const asked =
    request.topics?.map(({ name, partitionIndexes }) =>
      byName(name, partitionIndexes, metadata.image),
    ) ?? null
  const { errorCode, topics } = await groups.fetchOffsets({ groupId, topics: asked, requireStable })
  if (errorCode !== ErrorCode.NONE && apiVersion < ERROR_CODE_SINCE) {
    return { topics: (asked ?? []).map((topic) => withError(topic, errorCode)) }
  }
  return { errorCode, topics: topics.map(toWire) }
}

async function fetchGroup(
  { groups, metadata }: OffsetFetchServices,
  { groupId, topics, memberId, memberEpoch }: RequestGroup,
  requireStable: boolean,
  apiVersion: number,
): Promise<ResponseGroup> {
  const { image } = metadata
  if (apiVersion < TOPIC_IDS_SINCE) {
    const asked =
      topics?.map(({ name, partitionIndexes }) => byName(name, partitionIndexes, image)) ?? null
    const result = await groups.fetchOffsets({
      ...{ groupId, topics: asked, requireStable },
      ...{ memberId, memberEpoch },
    })
    return { groupId, errorCode: result.errorCode, topics: result.topics.map(toWire) }
  }
  const known = topics?.flatMap(({ topicId, partitionIndexes: partitions }) => {
    const topic = image.topicsById.get(topicId)
    return topic === undefined ? [] : [{ name: topic.name, topicId, partitions }]
  })
  const result = await groups.fetchOffsets({
    ...{ groupId, topics: known ?? null, requireStable },
    ...{ memberId, memberEpoch },
  })
  const fetched = byTopicId(result, metadata.image)
  if (topics === null || result.errorCode !== ErrorCode.NONE) {
    return { groupId, errorCode: result.errorCode, topics: [...fetched.values()].map(toWire) }
  }
  const found = topics.flatMap(({ topicId }) => fetched.get(topicId) ?? [])
  const unknown = topics.filter(({ topicId }) => !fetched.has(topicId))
  const refused = unknown.map(({ topicId, partitionIndexes: partitions }) =>
    withError({ name: '', topicId, partitions }, ErrorCode.UNKNOWN_TOPIC_ID),
  )
  // Kafka puts the unknown ones last, and its own tests expect them there.
  return { groupId, errorCode: ErrorCode.NONE, topics: [...found.map(toWire), ...refused] }
}

/** The id keeps offsets of an earlier topic of that name out. */
function byName(
  name: string,
  partitions: readonly number[],
  image: MetadataImage,
): OffsetFetchTopic {
  return { name, topicId: image.topics.get(name)?.topicId ?? NO_TOPIC_ID, partitions }
}

/** Topics that are gone have no id to answer with, so they are left out. */
function byTopicId({ topics }: OffsetFetchResult, image: MetadataImage): Map<string, FetchedTopic> {
  const fetched = new Map<string, FetchedTopic>()
  for (const topic of topics) {
    const topicId =
      topic.topicId === NO_TOPIC_ID ? image.topics.get(topic.name)?.topicId : topic.topicId
    if (topicId !== undefined) fetched.set(topicId, { ...topic, topicId })
  }
  return fetched
}

const toWire = ({ name, topicId, partitions }: FetchedTopic) => ({
  name,
  topicId,
  partitions: partitions.map(({ partition, offset, leaderEpoch, metadata, errorCode }) => ({
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: leaderEpoch,
    metadata,
    errorCode,
  })),
})

const withError = ({ name, topicId, partitions }: OffsetFetchTopic, errorCode: ErrorCode) => ({
  name,
  topicId,
  partitions: partitions.map((partitionIndex) => ({
    partitionIndex,
    committedOffset: -1,
    committedLeaderEpoch: -1,
    metadata: '',
    errorCode,
  })),
})
