import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import { staticMember, unknownMember } from '../member-checks.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerGroupMember, LEAVE_STATIC_EPOCH, regexOf } from './consumer-group-member.ts'
import type {
  ConsumerHeartbeatRequest,
  ConsumerHeartbeatResult,
} from './consumer-group-requests.ts'
import type { ConsumerStep } from './consumer-step.ts'
import { cancelMemberTimers } from './member-timers.ts'
import { canDowngrade, downgrade } from './migration.ts'
import { NO_PARTITIONS } from './partition-epochs.ts'
import {
  recordCurrentAssignment,
  recordEpoch,
  recordMemberGone,
  recordRegexGone,
  recordTargetEpoch,
} from './recorded-changes.ts'
import { metadataHashOf } from './target-assignment.ts'

/**
 * A heartbeat with epoch -1 or -2: the member goes, or its partitions are kept until it is back.
 * @throws BrokerError GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID
 */
export function leaveConsumerGroup(
  { groupId, memberId, memberEpoch, instanceId }: ConsumerHeartbeatRequest,
  step: ConsumerStep,
): ConsumerHeartbeatResult {
  const group = existingConsumerGroup(groupId, step)
  const member =
    instanceId === null ? group.members.get(memberId) : staticMember(group, memberId, instanceId)
  if (member === undefined) throw unknownMember(groupId, memberId)
  if (memberEpoch === LEAVE_STATIC_EPOCH) recordCurrentAssignment(group, paused(member), step)
  else fenceMembers(group, [member], step)
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: 0,
    assignment: null,
  }
}

/** @throws BrokerError GROUP_ID_NOT_FOUND */
export function existingConsumerGroup(groupId: string, step: ConsumerStep): ConsumerGroup {
  const group = step.groups.group(groupId)
  if (group instanceof ConsumerGroup) return group
  const problem = group === undefined ? 'not found' : 'is not a consumer group'
  throw new BrokerError(ErrorCode.GROUP_ID_NOT_FOUND, `Group ${groupId} ${problem}.`)
}

/** It keeps its partitions, at an epoch that whoever comes back may commit with. */
function paused(member: ConsumerGroupMember): ConsumerGroupMember {
  const assigned = [...member.assigned].map(
    ([topicId, epochs]) =>
      [topicId, new Map([...epochs.keys()].map((partition) => [partition, 0]))] as const,
  )
  return {
    ...member,
    memberEpoch: LEAVE_STATIC_EPOCH,
    assigned: new Map(assigned),
    pendingRevocation: NO_PARTITIONS,
  }
}

/**
 * Removes members that left or were silent for too long; the group needs another assignment then. A
 * group whose other members are all classic may become a classic one.
 */
export function fenceMembers(
  group: ConsumerGroup,
  members: readonly ConsumerGroupMember[],
  step: ConsumerStep,
): void {
  if (members.length === 0) return
  if (canDowngrade(group, members, step.config)) {
    downgrade(group, { leaving: members, mustRebalance: true }, step)
    return
  }
  for (const { memberId } of members) {
    recordMemberGone(group, memberId, step)
    cancelMemberTimers(group.groupId, memberId, step)
  }
  for (const regex of new Set(members.map(regexOf))) {
    if (regex !== null && group.regexSubscriberCount(regex) === 0) {
      recordRegexGone(group, regex, step)
    }
  }
  recordEpoch(group, group.groupEpoch + 1, metadataHashOf(group, step), step)
  // An empty group needs no assignment, and the next one may be made at once.
  if (group.isEmpty) recordTargetEpoch(group, group.groupEpoch, 0, step)
}

/** A timer of the member fired. `memberEpoch`: only if it is still at that epoch. */
export function memberExpired(
  group: ConsumerGroup,
  memberId: string,
  step: ConsumerStep,
  memberEpoch?: number,
): void {
  const member = group.members.get(memberId)
  if (member === undefined) return
  if (memberEpoch !== undefined && member.memberEpoch !== memberEpoch) return
  fenceMembers(group, [member], step)
}
