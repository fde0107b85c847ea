import { ErrorCode } from '../../../base/error-code.ts'
import { leaderEpochError } from '../../../broker/fetch-purgatory/read-partition.ts'
import type { Partition } from '../../../broker/topics/partition.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import type { TimestampOffset } from '../../../ports/partition-log.ts'
import {
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  listOffsetsApi,
} from '../../../wire/kafka/messages/02-list-offsets.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

/** Timestamps that stand for places. Source: ListOffsets, KIP-734, KIP-405, KIP-1005, KIP-1023. */
const Special = {
  LATEST: -1,
  EARLIEST: -2,
  MAX_TIMESTAMP: -3,
  EARLIEST_LOCAL: -4,
  LATEST_TIERED: -5,
  EARLIEST_PENDING_UPLOAD: -6,
} as const

/** First version that knows the place; older ones and all other negatives are refused. */
const FIRST_VERSION: ReadonlyMap<number, number> = new Map([
  [Special.LATEST, 1],
  [Special.EARLIEST, 1],
  [Special.MAX_TIMESTAMP, 7],
  [Special.EARLIEST_LOCAL, 8],
  [Special.LATEST_TIERED, 9],
  [Special.EARLIEST_PENDING_UPLOAD, 11],
])

const READ_COMMITTED = 1

const FIRST_VERSION_WITH_EPOCH = 4

type PartitionRequest = ListOffsetsRequest['topics'][number]['partitions'][number]
type PartitionResponse = ListOffsetsResponse['topics'][number]['partitions'][number]

/** Nothing found is no error. */
const NOT_FOUND: TimestampOffset = { timestampMs: -1, offset: -1, leaderEpoch: -1 }

/** ListOffsets: first and last offsets, and offsets by time. */
export function listOffsetsHandler(services: { partitions: PartitionLookup }): KafkaHandler {
  return defineHandler(listOffsetsApi, async (request, { apiVersion }) => {
    const repeated = repeatedPartitions(request)
    const isReadCommitted = request.isolationLevel === READ_COMMITTED
    const listOne = async (name: string, asked: PartitionRequest): Promise<PartitionResponse> => {
      const { partitionIndex } = asked
      if (repeated.has(keyOf(name, partitionIndex))) {
        return { partitionIndex, errorCode: ErrorCode.INVALID_REQUEST }
      }
      const partition = services.partitions.partition(name, partitionIndex)
      return await list(partition, asked, apiVersion, isReadCommitted)
    }
    const topics = await Promise.all(
      request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(onceEach(partitions).map((asked) => listOne(name, asked))),
      })),
    )
    return { topics }
  })
}

/** A partition that is asked for twice is refused once, as in Kafka. */
function onceEach(partitions: readonly PartitionRequest[]): PartitionRequest[] {
  const seen = new Set<number>()
  return partitions.filter(({ partitionIndex }) => seen.size < seen.add(partitionIndex).size)
}

async function list(
  partition: Partition | undefined,
  asked: PartitionRequest,
  apiVersion: number,
  isReadCommitted: boolean,
): Promise<PartitionResponse> {
  const { partitionIndex, timestamp } = asked
  const errorCode = refusal(partition, asked, apiVersion)
  if (errorCode !== ErrorCode.NONE || partition === undefined) return { partitionIndex, errorCode }
  // As for a fetch: one disk that fails is no reason to refuse the other partitions.
  const found = await find(partition, timestamp, isReadCommitted).catch(() => null)
  if (found === null) return { partitionIndex, errorCode: ErrorCode.KAFKA_STORAGE_ERROR }
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    timestamp: found.timestampMs,
    offset: found.offset,
    ...(apiVersion < FIRST_VERSION_WITH_EPOCH ? undefined : { leaderEpoch: found.leaderEpoch }),
  }
}

function refusal(
  partition: Partition | undefined,
  { timestamp, currentLeaderEpoch }: PartitionRequest,
  apiVersion: number,
): ErrorCode {
  if (timestamp < 0 && apiVersion < (FIRST_VERSION.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
    return ErrorCode.UNSUPPORTED_VERSION
  }
  if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const { availability } = partition
  if (availability !== ErrorCode.NONE) return availability
  return leaderEpochError(currentLeaderEpoch, partition.log.leaderEpoch)
}

async function find(
  { log }: Partition,
  timestamp: number,
  isReadCommitted: boolean,
): Promise<TimestampOffset> {
  const endOffset = isReadCommitted ? log.lastStableOffset : log.highWatermark
  switch (timestamp) {
    case Special.LATEST:
      return { timestampMs: -1, offset: endOffset, leaderEpoch: log.leaderEpoch }
    case Special.EARLIEST:
    case Special.EARLIEST_LOCAL: {
      const offset = log.logStartOffset
      return { timestampMs: -1, offset, leaderEpoch: log.epochForOffset(offset) }
    }
    case Special.MAX_TIMESTAMP: {
      // The newest record of all, if this reader may see it; not the newest that it may see.
      const newest = await log.maxTimestamp(log.highWatermark)
      return newest === null || newest.offset >= endOffset ? NOT_FOUND : newest
    }
    case Special.LATEST_TIERED:
    case Special.EARLIEST_PENDING_UPLOAD:
      return NOT_FOUND
    default:
      return (await log.offsetForTimestamp(timestamp, endOffset)) ?? NOT_FOUND
  }
}

function repeatedPartitions({ topics }: ListOffsetsRequest): ReadonlySet<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) {
      const key = keyOf(name, partitionIndex)
      if (seen.has(key)) repeated.add(key)
      seen.add(key)
    }
  }
  return repeated
}

function keyOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
