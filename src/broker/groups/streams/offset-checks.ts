import { ErrorCode } from '../../../base/error-code.ts'
import type { OffsetCommitter } from '../consumer/offset-checks.ts'
import type { OffsetFetchRequest } from '../offset-requests.ts'
import type { StreamsGroup } from './streams-group.ts'
import { readerOf } from './streams-topology.ts'

/**
 * Whether a member may commit: at its epoch, or at an older one for tasks that it has had since then.
 * Who is no member may commit to an empty group only.
 * Source: StreamsGroup.validateOffsetCommit of Kafka 4.4.
 */
export function checkStreamsOffsetCommit(
  group: StreamsGroup,
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
  if (!isTransactional && knowsGroupIdNotFound !== true) return ErrorCode.UNSUPPORTED_VERSION
  if (epoch === member.memberEpoch) return ErrorCode.NONE
  // Producers know the codes of the classic protocol only.
  const staleCode = isTransactional ? ErrorCode.ILLEGAL_GENERATION : ErrorCode.STALE_MEMBER_EPOCH
  const { topology } = group
  if (epoch > member.memberEpoch || topology === null) return staleCode
  const { assigned, pendingRevocation } = member
  const hasHadAll = request.topics.every(({ name, partitions }) => {
    const subtopologyId = readerOf(topology, name)?.subtopologyId
    return partitions.every(({ partition, metadata }) => {
      // That one is refused by itself.
      if ((metadata?.length ?? 0) > metadataMaxBytes) return true
      if (subtopologyId === undefined) return false
      const since =
        assigned.active.get(subtopologyId)?.get(partition) ??
        pendingRevocation.active.get(subtopologyId)?.get(partition)
      return since !== undefined && epoch >= since
    })
  })
  return hasHadAll ? ErrorCode.NONE : staleCode
}

/** NONE for who is no member and does not say it is one. */
export function checkStreamsOffsetFetch(
  group: StreamsGroup,
  { memberId = null, memberEpoch = -1 }: OffsetFetchRequest,
): ErrorCode {
  if (memberId === null && memberEpoch < 0) return ErrorCode.NONE
  const member = group.members.get(memberId ?? '')
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  return memberEpoch === member.memberEpoch ? ErrorCode.NONE : ErrorCode.STALE_MEMBER_EPOCH
}
