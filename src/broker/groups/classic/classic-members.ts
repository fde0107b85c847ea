import { ErrorCode } from '../../../base/error-code.ts'
import type { Reply } from '../../coordinator/coordinator-turn.ts'
import { groupMetadataRecord } from '../group-coordinator-records.ts'
import { type GroupStep, sessionTimer, syncTimer } from '../group-step.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ClassicGroupMember } from './classic-group-member.ts'
import {
  type HeartbeatRequest,
  type LeaveGroupRequest,
  type LeaveGroupResult,
  type LeavingMember,
  NO_BYTES,
  type SyncGroupRequest,
  type SyncGroupResult,
  syncError,
} from './classic-group-requests.ts'
import {
  answerSync,
  answerSyncs,
  completeJoinIfAllJoined,
  currentAssignment,
  prepareRebalance,
  removeMember,
  scheduleSession,
} from './classic-rebalance.ts'

/** SyncGroup: the leader brings the assignments, the others wait for theirs. */
export function syncClassicGroup(
  group: ClassicGroup,
  request: SyncGroupRequest,
  reply: Reply<SyncGroupResult>,
  step: GroupStep,
): void {
  const { turn } = step
  const errorCode = checkSync(group, request)
  const member = group.members.get(request.memberId)
  if (errorCode !== ErrorCode.NONE || member === undefined) {
    turn.reply(reply, syncError(errorCode))
    return
  }
  removePendingSync(group, member, step)
  if (group.state === 'Stable') {
    turn.reply(reply, currentAssignment(group, member))
    return
  }
  // The same member asks again, since it lost the connection: the old request has no reader.
  answerSync(member, step, syncError(ErrorCode.UNKNOWN_MEMBER_ID))
  member.awaitingSync = reply
  if (group.leaderId === member.memberId) takeAssignments(group, request, step)
}

function checkSync(group: ClassicGroup, request: SyncGroupRequest): ErrorCode {
  const errorCode = group.checkMember(request.memberId, request.groupInstanceId)
  if (errorCode !== ErrorCode.NONE) return errorCode
  if (request.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  const { protocolType, protocolName } = request
  if (differs(protocolType, group.protocolType) || differs(protocolName, group.protocolName)) {
    return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
  }
  if (group.state === 'PreparingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
  return group.state === 'Empty' ? ErrorCode.UNKNOWN_MEMBER_ID : ErrorCode.NONE
}

/** What either side does not say can't differ. */
const differs = (asked: string | null, actual: string | null): boolean =>
  asked !== null && actual !== null && asked !== actual

function removePendingSync(
  group: ClassicGroup,
  member: ClassicGroupMember,
  { turn }: GroupStep,
): void {
  group.pendingSyncMembers.delete(member.memberId)
  if (group.pendingSyncMembers.size === 0) turn.cancel(syncTimer(group.groupId))
}

/** A member the leader forgot gets an empty assignment. The answers follow the record. */
function takeAssignments(group: ClassicGroup, request: SyncGroupRequest, step: GroupStep): void {
  for (const member of group.members.values()) {
    member.assignment = request.assignments.get(member.memberId) ?? NO_BYTES
  }
  group.transitionTo('Stable', step.turn.nowMs)
  step.turn.append(groupMetadataRecord(group))
  answerSyncs(group, step, ErrorCode.NONE)
}

/** @returns what the heartbeat is answered; the session goes on where it is known */
export function heartbeatClassicGroup(
  group: ClassicGroup,
  request: HeartbeatRequest,
  step: GroupStep,
): ErrorCode {
  const errorCode = group.checkMember(request.memberId, request.groupInstanceId)
  if (errorCode !== ErrorCode.NONE) return errorCode
  if (request.generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  keepSession(group, request.memberId, step)
  // While it completes, members may beat before they sync.
  return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

/** Something was heard of the member. */
export function keepSession(group: ClassicGroup, memberId: string, step: GroupStep): void {
  const member = group.members.get(memberId)
  if (member !== undefined) scheduleSession(group, member, step)
}

/** LeaveGroup: each member has its own outcome (KIP-345). One rebalance follows for all. */
export function leaveClassicGroup(
  group: ClassicGroup,
  request: LeaveGroupRequest,
  step: GroupStep,
): LeaveGroupResult {
  const members = request.members.map((leaving) => ({
    ...leaving,
    errorCode: leave(group, leaving, step),
  }))
  if (members.some(({ errorCode }) => errorCode === ErrorCode.NONE)) {
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') {
      prepareRebalance(group, step)
    } else {
      completeJoinIfAllJoined(group, step)
    }
  }
  return { errorCode: ErrorCode.NONE, members }
}

function leave(
  group: ClassicGroup,
  { memberId, groupInstanceId }: LeavingMember,
  step: GroupStep,
): ErrorCode {
  if (group.pendingJoinMembers.has(memberId)) {
    group.remove(memberId)
    step.turn.cancel(sessionTimer(group.groupId, memberId))
    return ErrorCode.NONE
  }
  const isByInstance = memberId === '' && groupInstanceId !== null
  const leavingId = isByInstance ? group.staticMemberId(groupInstanceId) : memberId
  if (leavingId === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  const errorCode = group.checkMember(leavingId, groupInstanceId)
  const member = group.members.get(leavingId)
  if (errorCode !== ErrorCode.NONE || member === undefined) return errorCode
  removeMember(group, member, step)
  return ErrorCode.NONE
}

/**
 * Whether offsets may be committed by who commits.
 * @param isTransactional the transaction guards what is committed, so a producer need not be a
 *   member, and a rebalance does no harm
 */
export function checkOffsetCommit(
  group: ClassicGroup,
  request: {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly generationId: number
  },
  isTransactional = false,
): ErrorCode {
  const { memberId, groupInstanceId, generationId } = request
  if (generationId < 0 && group.isEmpty) return ErrorCode.NONE
  if (generationId < 0 && memberId === '' && groupInstanceId === null) {
    return isTransactional ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }
  const errorCode = group.checkMember(memberId, groupInstanceId)
  if (errorCode !== ErrorCode.NONE) return errorCode
  if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION
  if (isTransactional) return ErrorCode.NONE
  // The member knows the new generation but has no assignment yet: what it commits is not its own.
  return group.state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}
