import { ErrorCode } from '../../../base/error-code.ts'
import { AcknowledgeType } from '../../../broker/delivery/delivery-state.ts'
import type { ShareOutcome } from '../../../broker/share/coordinator/share-state.ts'
import type { SharePartitionManager } from '../../../broker/share/share-partition-manager.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import type { ShareAcknowledgeRequest } from '../../../wire/kafka/messages/79-share-acknowledge.ts'

/** The client makes it: a uuid, or anything that is no longer. */
export function isShareMemberId(memberId: string | null): memberId is string {
  return memberId !== null && memberId !== '' && memberId.length <= 36
}

export interface AcknowledgeServices {
  readonly shares: SharePartitionManager
  readonly partitions: PartitionLookup
}

/** Acknowledgements of one request; those of a fetch look the same. */
export interface Acknowledgements {
  readonly groupId: string
  readonly memberId: string
  readonly topics: ShareAcknowledgeRequest['topics']
  /** First version with RENEW (KIP-1222). */
  readonly knowsRenew: boolean
  readonly isRenewAck: boolean
}

export interface AcknowledgedPartition extends ShareOutcome {
  readonly topicId: string
  readonly partition: number
}

type AcknowledgementBatches =
  ShareAcknowledgeRequest['topics'][number]['partitions'][number]['acknowledgementBatches']

/** Checks and applies acknowledgements, each partition by itself. */
export async function acknowledgeAll(
  services: AcknowledgeServices,
  acknowledgements: Acknowledgements,
): Promise<AcknowledgedPartition[]> {
  const asked = acknowledgements.topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex: partition, acknowledgementBatches: batches }) => {
      const errorCode = errorOf(services, acknowledgements, { topicId, partition, batches })
      return { topicId, partition, batches, errorCode }
    }),
  )
  const isGood = ({ errorCode }: { readonly errorCode: ErrorCode }) => errorCode === ErrorCode.NONE
  const hasWork = asked.some((one) => isGood(one) && one.batches.length > 0)
  // Where nothing is to be done, Kafka does not name the partitions of which nothing was said.
  const told = hasWork ? asked : asked.filter((one) => !isGood(one))
  return Promise.all(
    told.map(async ({ topicId, partition, batches, errorCode }) => {
      const key = { groupId: acknowledgements.groupId, topicId, partition }
      const isDone = errorCode !== ErrorCode.NONE || batches.length === 0
      const outcome: ShareOutcome = isDone
        ? { errorCode, errorMessage: null }
        : await services.shares.acknowledge(key, acknowledgements.memberId, batches.map(toDomain))
      return { topicId, partition, ...outcome }
    }),
  )
}

function toDomain({ firstOffset, lastOffset, acknowledgeTypes }: AcknowledgementBatches[number]) {
  return { firstOffset, lastOffset, types: acknowledgeTypes }
}

function errorOf(
  { partitions }: AcknowledgeServices,
  acknowledgements: Acknowledgements,
  asked: {
    readonly topicId: string
    readonly partition: number
    readonly batches: AcknowledgementBatches
  },
): ErrorCode {
  const { topicId, partition, batches } = asked
  if (partitions.topicName(topicId) === undefined) return ErrorCode.UNKNOWN_TOPIC_ID
  if (!isWellFormed(batches, acknowledgements)) return ErrorCode.INVALID_REQUEST
  return partitions.partitionById(topicId, partition) === undefined
    ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCode.NONE
}

/** Batches in order, each with one type for all its offsets or one for each. */
function isWellFormed(
  batches: AcknowledgementBatches,
  { knowsRenew, isRenewAck }: Acknowledgements,
): boolean {
  const maxType = knowsRenew ? AcknowledgeType.RENEW : AcknowledgeType.REJECT
  let nextOffset = -1
  for (const { firstOffset, lastOffset, acknowledgeTypes: types } of batches) {
    if (firstOffset > lastOffset || firstOffset < nextOffset) return false
    if (types.length === 0) return false
    if (types.length > 1 && types.length !== lastOffset - firstOffset + 1) return false
    if (types.some((type) => type < AcknowledgeType.GAP || type > maxType)) return false
    if (types.includes(AcknowledgeType.RENEW) && !isRenewAck) return false
    nextOffset = lastOffset
  }
  return true
}

/** Entries of one topic stand together in an answer. */
export function byTopic<T extends { readonly topicId: string }>(
  entries: readonly T[],
): Map<string, T[]> {
  const topics = new Map<string, T[]>()
  for (const entry of entries) {
    const topic = topics.get(entry.topicId)
    if (topic === undefined) topics.set(entry.topicId, [entry])
    else topic.push(entry)
  }
  return topics
}
