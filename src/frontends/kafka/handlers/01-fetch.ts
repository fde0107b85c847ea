import { ErrorCode } from '../../../base/error-code.ts'
import { DelayedFetch } from '../../../broker/fetch-purgatory/delayed-fetch.ts'
import type { FetchPartition, FetchResult } from '../../../broker/fetch-purgatory/fetch-params.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import {
  type FetchRequest,
  type FetchResponse,
  fetchApi,
} from '../../../wire/kafka/messages/01-fetch.ts'
import {
  type FetchContext,
  type FetchSessions,
  type FollowedPartition,
  moveToEnd,
  NO_SESSION,
} from '../fetch-session.ts'
import { defineHandler, type Exchange, type KafkaHandler } from '../handler.ts'

export interface FetchServices {
  readonly partitions: PartitionLookup
  readonly scheduler: Scheduler
  readonly sessions: FetchSessions
  /** `fetch.max.bytes`: no answer has more, whatever the client asks, but for its first batch. */
  readonly maxResponseBytes: () => number
}

type TopicResponse = FetchResponse['responses'][number]
type PartitionResponse = TopicResponse['partitions'][number]

/** First version with topic ids instead of names (KIP-516). */
const FIRST_TOPIC_ID_VERSION = 13

/** KIP-98: return only committed data. */
const READ_COMMITTED = 1

/** Never null: a null length is a parse failure for librdkafka (KAFKA-18646). */
const NO_RECORDS = Buffer.alloc(0)

/** Fetch: long polls, in sessions (KIP-227), by name or id, for consumers. */
export function fetchHandler(services: FetchServices): KafkaHandler {
  return defineHandler(fetchApi, (request, exchange) => {
    fetch(services, request, exchange)
    return undefined
  })
}

function fetch(
  services: FetchServices,
  request: FetchRequest,
  exchange: Exchange<FetchResponse>,
): void {
  const usesTopicIds = exchange.apiVersion >= FIRST_TOPIC_ID_VERSION
  const context = services.sessions.contextOf(request, usesTopicIds)
  if (context.errorCode !== ErrorCode.NONE) {
    exchange.respond({
      throttleTimeMs: 0,
      errorCode: context.errorCode,
      sessionId: NO_SESSION,
      responses: [],
    })
    return
  }
  const isFollower = request.replicaId >= 0 || request.replicaState.replicaId >= 0
  const params = {
    partitions: context.partitions.map((followed) =>
      isFollower ? NOT_A_REPLICA : resolve(services.partitions, followed, usesTopicIds),
    ),
    minBytes: request.minBytes,
    maxBytes: Math.min(request.maxBytes, services.maxResponseBytes()),
    maxWaitMs: request.maxWaitMs,
    isReadCommitted: request.isolationLevel === READ_COMMITTED,
  }
  const delayed = new DelayedFetch(params, (results) =>
    answer(exchange, context, results, params.isReadCommitted),
  )
  delayed.start(services.scheduler)
  if (!delayed.isDone) exchange.onClose(() => delayed.cancel())
}

/** There is one replica of each partition, and it is the leader. */
const NOT_A_REPLICA: FetchPartition = {
  partition: undefined,
  errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
  offset: 0,
  maxBytes: 0,
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
}

function resolve(
  partitions: PartitionLookup,
  { topic, topicId, partition: index, requested }: FollowedPartition,
  usesTopicIds: boolean,
): FetchPartition {
  const partition = usesTopicIds
    ? partitions.partitionById(topicId, index)
    : partitions.partition(topic, index)
  const isUnknownId = usesTopicIds && partitions.topicName(topicId) === undefined
  return {
    partition,
    errorCode: isUnknownId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    offset: requested.fetchOffset,
    maxBytes: requested.partitionMaxBytes,
    currentLeaderEpoch: requested.currentLeaderEpoch,
    lastFetchedEpoch: requested.lastFetchedEpoch,
  }
}

function answer(
  exchange: Exchange<FetchResponse>,
  context: FetchContext,
  results: readonly FetchResult[],
  isReadCommitted: boolean,
): void {
  const response = {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    sessionId: context.session?.id ?? NO_SESSION,
    responses: responsesOf(context, results, isReadCommitted),
  }
  exchange.respond(response, () => {
    for (const { slice } of results) slice?.release()
  })
}

function responsesOf(
  context: FetchContext,
  results: readonly FetchResult[],
  isReadCommitted: boolean,
): TopicResponse[] {
  const topics = new TopicResponses()
  for (let i = 0; i < results.length; i++) {
    const followed = context.partitions[i] as FollowedPartition
    const result = results[i] as FetchResult
    if (context.isIncremental && !hasNews(followed, result)) continue
    remember(context, followed, result)
    topics.add(followed, partitionResponse(followed.partition, result, isReadCommitted))
  }
  return topics.list
}

/** Partitions of one topic stand together in an answer; in a session they may come mixed. */
class TopicResponses {
  readonly list: (TopicResponse & { partitions: PartitionResponse[] })[] = []
  #last: (TopicResponse & { partitions: PartitionResponse[] }) | undefined

  add({ topic, topicId }: FollowedPartition, partition: PartitionResponse): void {
    const isOf = (response: TopicResponse | undefined): boolean =>
      response?.topic === topic && response.topicId === topicId
    if (!isOf(this.#last)) {
      this.#last = this.list.find(isOf)
      if (this.#last === undefined) {
        this.#last = { topic, topicId, partitions: [] }
        this.list.push(this.#last)
      }
    }
    this.#last?.partitions.push(partition)
  }
}

/** A session hears of a partition only when it has records, an error, or its limits moved. */
function hasNews(followed: FollowedPartition, result: FetchResult): boolean {
  return (
    result.errorCode !== ErrorCode.NONE ||
    result.slice !== null ||
    result.divergingEpoch !== null ||
    result.highWatermark !== followed.highWatermark ||
    result.logStartOffset !== followed.logStartOffset
  )
}

function remember(context: FetchContext, followed: FollowedPartition, result: FetchResult): void {
  if (context.session === null) return
  // After an error the next answer must name the partition again.
  const isError = result.errorCode !== ErrorCode.NONE
  followed.highWatermark = isError ? -1 : result.highWatermark
  followed.logStartOffset = isError ? -1 : result.logStartOffset
  if (result.slice !== null) moveToEnd(context.session, followed)
}

function partitionResponse(
  partitionIndex: number,
  result: FetchResult,
  isReadCommitted: boolean,
): PartitionResponse {
  const { errorCode, highWatermark, lastStableOffset, logStartOffset, slice } = result
  const { divergingEpoch } = result
  // Kafka has null for read_uncommitted only where it has looked into the log.
  const isUnknown =
    errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || errorCode === ErrorCode.UNKNOWN_TOPIC_ID
  return {
    partitionIndex,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    abortedTransactions: slice?.abortedTransactions ?? (isReadCommitted || isUnknown ? [] : null),
    records: slice ?? NO_RECORDS,
    ...(divergingEpoch === null
      ? undefined
      : {
          divergingEpoch: {
            epoch: divergingEpoch.leaderEpoch,
            endOffset: divergingEpoch.endOffset,
          },
        }),
  }
}
