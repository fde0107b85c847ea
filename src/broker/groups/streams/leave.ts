import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import { LEAVE_STATIC_EPOCH } from '../consumer/consumer-group-member.ts'
import type { GroupStep } from '../group-step.ts'
import { staticMember, unknownMember } from '../member-checks.ts'
import {
  recordNextStreamsEpoch,
  recordStreamsAssignment,
  recordStreamsMemberGone,
  recordStreamsTargetEpoch,
} from './streams-changes.ts'
import { StreamsGroup } from './streams-group.ts'
import type { StreamsGroupMember } from './streams-group-member.ts'
import {
  plainStreamsResult,
  type StreamsHeartbeatRequest,
  type StreamsHeartbeatResult,
} from './streams-group-requests.ts'
import type { StreamsStep } from './streams-step.ts'
import { cancelStreamsTimers } from './streams-timers.ts'
import { NO_OWNED_TASKS, withoutEpochs } from './tasks.ts'

/**
 * A heartbeat with epoch -1 or -2: the member goes, or its tasks are kept until it is back.
 * @throws BrokerError GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID
 */
export function leaveStreamsGroup(
  request: StreamsHeartbeatRequest,
  step: StreamsStep,
): StreamsHeartbeatResult {
  const { groupId, memberId, memberEpoch, instanceId } = request
  const group = existingStreamsGroup(groupId, step)
  if (request.isShutdownRequested) group.requestShutdown(memberId)
  const member =
    instanceId === null ? group.members.get(memberId) : staticMember(group, memberId, instanceId)
  if (member === undefined) throw unknownMember(groupId, memberId)
  // Without an instance id nobody could come back in its place.
  const isPause = memberEpoch === LEAVE_STATIC_EPOCH && instanceId !== null
  if (isPause) recordStreamsAssignment(group, paused(member), step)
  else fenceStreamsMember(group, member, step)
  return plainStreamsResult(memberId, memberEpoch)
}

/** @throws BrokerError GROUP_ID_NOT_FOUND */
export function existingStreamsGroup(groupId: string, { groups }: StreamsStep): StreamsGroup {
  const group = groups.group(groupId)
  if (group instanceof StreamsGroup) return group
  const problem = group === undefined ? 'not found' : 'is not a streams group'
  throw new BrokerError(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} ${problem}.`)
}

/** It keeps its tasks, at an epoch that whoever comes back may commit with. */
function paused(member: StreamsGroupMember): StreamsGroupMember {
  return {
    ...member,
    memberEpoch: LEAVE_STATIC_EPOCH,
    assigned: withoutEpochs(member.assigned),
    pendingRevocation: NO_OWNED_TASKS,
  }
}

/** A member that left or was silent for too long; the group needs another assignment then. */
export function fenceStreamsMember(
  group: StreamsGroup,
  { memberId }: StreamsGroupMember,
  step: GroupStep,
): void {
  recordStreamsMemberGone(group, memberId, step)
  cancelStreamsTimers(group.groupId, memberId, step)
  recordNextStreamsEpoch(group, {}, step)
  // An empty group needs no assignment, and the next one may be made at once.
  if (group.isEmpty) recordStreamsTargetEpoch(group, group.groupEpoch, 0, step)
}
