import { ErrorCode } from '../../../base/error-code.ts'
import { AcknowledgeType } from '../../../broker/delivery/delivery-state.ts'
import type { ShareOutcome } from '../../../broker/share/coordinator/share-state.ts'
import type { SharePartitionManager } from '../../../broker/share/share-partition-manager.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import type { ShareAcknowledgeRequest } from '../../../wire/kafka/messages/79-share-acknowledge.ts'

export const INVALID_MEMBER_ID = 'Invalid member id in the request.'
export const INVALID_GROUP_ID = 'Invalid group id in the request.'

/** Texts of the errors of share sessions. Source: Errors of Kafka 4.4. */
const MESSAGES: ReadonlyMap<ErrorCode, string> = new Map([
  [ErrorCode.SHARE_SESSION_NOT_FOUND, 'The share session was not found.'],
  [ErrorCode.INVALID_SHARE_SESSION_EPOCH, 'The share session epoch is invalid.'],
  [ErrorCode.SHARE_SESSION_LIMIT_REACHED, 'The limit of share sessions has been reached.'],
  [
    ErrorCode.INVALID_REQUEST,
    'This most likely occurs because of a request being malformed by the client library or the ' +
      'message was sent to an incompatible broker. See the broker logs for more details.',
  ],
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.'],
  [ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.'],
])

export function shareErrorMessage(errorCode: ErrorCode): string | null {
  return MESSAGES.get(errorCode) ?? null
}

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
export function acknowledgeAll(
  { shares, partitions }: AcknowledgeServices,
  acknowledgements: Acknowledgements,
): Promise<AcknowledgedPartition[]> {
  const { groupId, memberId, topics } = acknowledgements
  const outcomes = topics.flatMap(({ topicId, partitions: asked }) =>
    asked.map(async ({ partitionIndex: partition, acknowledgementBatches: batches }) => {
      const answer = (outcome: ShareOutcome) => ({ topicId, partition, ...outcome })
      if (partitions.topicName(topicId) === undefined) {
        return answer(refused(ErrorCode.UNKNOWN_TOPIC_ID))
      }
      if (!isWellFormed(batches, acknowledgements)) {
        return answer(refused(ErrorCode.INVALID_REQUEST))
      }
      if (partitions.partitionById(topicId, partition) === undefined) {
        return answer(refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
      }
      if (batches.length === 0) return answer({ errorCode: ErrorCode.NONE, errorMessage: null })
      const said = batches.map(({ firstOffset, lastOffset, acknowledgeTypes }) => ({
        firstOffset,
        lastOffset,
        types: acknowledgeTypes,
      }))
      return answer(await shares.acknowledge({ groupId, topicId, partition }, memberId, said))
    }),
  )
  return Promise.all(outcomes)
}

const refused = (errorCode: ErrorCode): ShareOutcome => ({
  errorCode,
  errorMessage: shareErrorMessage(errorCode),
})

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
