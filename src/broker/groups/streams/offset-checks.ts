import { ErrorCode } from '../../../base/error-code.ts'
import type { OffsetCommitter } from '../consumer/offset-checks.ts'
import { checkOffsetFetch, hasHadSince } from '../member-checks.ts'
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
  const hasHadAll = hasHadSince(epoch, request.topics, metadataMaxBytes, ({ name }, partition) => {
    const subtopologyId = readerOf(topology, name)?.subtopologyId
    if (subtopologyId === undefined) return undefined
    return (
      assigned.active.get(subtopologyId)?.get(partition) ??
      pendingRevocation.active.get(subtopologyId)?.get(partition)
    )
  })
  return hasHadAll ? ErrorCode.NONE : staleCode
}

export function checkStreamsOffsetFetch(
  group: StreamsGroup,
  request: OffsetFetchRequest,
): ErrorCode {
  return checkOffsetFetch(group, request, () => ErrorCode.STALE_MEMBER_EPOCH)
}
