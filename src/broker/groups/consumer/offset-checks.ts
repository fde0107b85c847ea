import { ErrorCode } from '../../../base/error-code.ts'
import { checkOffsetFetch, hasHadSince } from '../member-checks.ts'
import type { OffsetCommitRequest, OffsetFetchRequest } from '../offset-requests.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'

/** Who commits what; transactional commits do not say what they know. */
export type OffsetCommitter = Pick<
  OffsetCommitRequest,
  'generationId' | 'memberId' | 'groupInstanceId' | 'topics'
> &
  Partial<Pick<OffsetCommitRequest, 'knowsGroupIdNotFound'>>

/**
 * Whether a member may commit: at its epoch, or at an older one for partitions that it has had since
 * then (KIP-1251). A client that does not know of this protocol may commit to an empty group only.
 */
export function checkConsumerOffsetCommit(
  group: ConsumerGroup,
  request: OffsetCommitter,
  metadataMaxBytes: number,
  isTransactional: boolean,
): ErrorCode {
  const { generationId: epoch, memberId, groupInstanceId, knowsGroupIdNotFound } = request
  if (epoch < 0 && group.isEmpty) return ErrorCode.NONE
  const isFromOutside = epoch === -1 && memberId === '' && groupInstanceId === null
  if (isTransactional && isFromOutside) return ErrorCode.NONE
  const member = group.members.get(memberId)
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  const isOld = !isTransactional && knowsGroupIdNotFound !== true
  if (isOld && member.classic === null) return ErrorCode.UNSUPPORTED_VERSION
  if (epoch === member.memberEpoch) return ErrorCode.NONE
  // Producers know the codes of the classic protocol only.
  const staleCode = isTransactional ? ErrorCode.ILLEGAL_GENERATION : staleCodeOf(member)
  if (epoch > member.memberEpoch) return staleCode
  const { assigned, pendingRevocation } = member
  const hasHadAll = hasHadSince(
    epoch,
    request.topics,
    metadataMaxBytes,
    ({ topicId }, partition) =>
      assigned.get(topicId)?.get(partition) ?? pendingRevocation.get(topicId)?.get(partition),
  )
  return hasHadAll ? ErrorCode.NONE : staleCode
}

export function checkConsumerOffsetFetch(
  group: ConsumerGroup,
  request: OffsetFetchRequest,
): ErrorCode {
  return checkOffsetFetch(group, request, staleCodeOf)
}

const staleCodeOf = ({ classic }: ConsumerGroupMember): ErrorCode =>
  classic === null ? ErrorCode.STALE_MEMBER_EPOCH : ErrorCode.ILLEGAL_GENERATION
