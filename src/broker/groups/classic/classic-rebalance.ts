import { ErrorCode } from '../../../base/error-code.ts'
import { groupMetadataRecord } from '../group-coordinator-records.ts'
import { type GroupStep, joinTimer, sessionTimer, syncTimer } from '../group-step.ts'
import type { ClassicGroup } from './classic-group.ts'
import { type ClassicGroupMember, hasSatisfiedHeartbeat } from './classic-group-member.ts'
import {
  type JoinGroupResult,
  joinError,
  NO_BYTES,
  type SyncGroupResult,
  syncError,
} from './classic-group-requests.ts'

/** A rebalance if the group may start one; else the join phase may be complete now. */
export function rebalanceOrCompleteJoin(group: ClassicGroup, step: GroupStep): void {
  if (group.canRebalance) prepareRebalance(group, step)
  else completeJoinIfAllJoined(group, step)
}

/** Asks all members to join again. An empty group waits a while for more members (KIP-134). */
export function prepareRebalance(group: ClassicGroup, step: GroupStep): void {
  const { turn, config } = step
  if (group.state === 'CompletingRebalance') {
    answerSyncs(group, step, ErrorCode.REBALANCE_IN_PROGRESS)
  }
  group.pendingSyncMembers.clear()
  turn.cancel(syncTimer(group.groupId))
  const isInitial = group.state === 'Empty'
  group.transitionTo('PreparingRebalance', turn.nowMs)
  if (isInitial) {
    const delayMs = config.initialRebalanceDelayMs
    const remainingMs = Math.max(group.rebalanceTimeoutMs - delayMs, 0)
    scheduleInitialDelay(group, step, delayMs, remainingMs)
  } else if (group.hasAllMembersJoined) {
    completeJoin(group, step)
  } else {
    scheduleJoinExpiry(group, step)
  }
}

/** The delay of the first rebalance is over, unless somebody came and there is time left. */
export function initialDelayExpired(
  group: ClassicGroup,
  step: GroupStep,
  delayMs: number,
  remainingMs: number,
): void {
  if (group.state !== 'PreparingRebalance') return
  if (!group.hasNewMember || remainingMs === 0) {
    completeJoin(group, step)
    return
  }
  group.hasNewMember = false
  const nextDelayMs = Math.min(step.config.initialRebalanceDelayMs, remainingMs)
  scheduleInitialDelay(group, step, nextDelayMs, Math.max(remainingMs - delayMs, 0))
}

/** Not in the initial rebalance: that one takes its whole delay. */
export function completeJoinIfAllJoined(group: ClassicGroup, step: GroupStep): void {
  if (group.state !== 'PreparingRebalance' || group.previousState === 'Empty') return
  if (group.hasAllMembersJoined) completeJoin(group, step)
}

/**
 * Ends the join phase: dynamic members that did not join are out, the rest gets its answer and
 * shall sync. A group without members becomes Empty, which is recorded.
 */
export function completeJoin(group: ClassicGroup, step: GroupStep): void {
  const { turn } = step
  turn.cancel(joinTimer(group.groupId))
  for (const member of [...group.members.values()]) {
    if (member.awaitingJoin === null && member.groupInstanceId === null) {
      group.remove(member.memberId)
      turn.cancel(sessionTimer(group.groupId, member.memberId))
    }
  }
  if (!group.electJoinedLeader() && group.members.size > 0) {
    // Only static members, none of which joined: their session timeouts decide.
    scheduleJoinExpiry(group, step)
    return
  }
  group.startGeneration(turn.nowMs)
  group.hasNewMember = false
  if (group.isEmpty) {
    turn.append(groupMetadataRecord(group))
    return
  }
  for (const member of group.members.values()) {
    const isLeader = member.memberId === group.leaderId
    answerJoin(member, step, {
      ...currentGeneration(group, member.memberId),
      members: isLeader ? group.joinedMembers() : [],
    })
    scheduleSession(group, member, step)
    member.isNew = false
    group.pendingSyncMembers.add(member.memberId)
  }
  turn.schedule(syncTimer(group.groupId), group.rebalanceTimeoutMs, {
    kind: 'syncExpired',
    groupId: group.groupId,
    generationId: group.generationId,
  })
}

/** Members that were told the generation and never synced are out. */
export function syncExpired(group: ClassicGroup, step: GroupStep, generationId: number): void {
  if (generationId !== group.generationId || group.pendingSyncMembers.size === 0) return
  if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return
  for (const memberId of [...group.pendingSyncMembers]) {
    const member = group.members.get(memberId)
    if (member !== undefined) answerJoin(member, step, unknownMember())
    group.remove(memberId)
    step.turn.cancel(sessionTimer(group.groupId, memberId))
  }
  prepareRebalance(group, step)
}

/** The member was not heard of for its session timeout. */
export function sessionExpired(group: ClassicGroup, step: GroupStep, memberId: string): void {
  if (group.pendingJoinMembers.has(memberId)) {
    group.remove(memberId)
    if (group.state === 'PreparingRebalance' && group.hasAllMembersJoined) completeJoin(group, step)
    return
  }
  const member = group.members.get(memberId)
  if (member === undefined || hasSatisfiedHeartbeat(member)) return
  removeMember(group, member, step)
  if (group.state === 'Stable' || group.state === 'CompletingRebalance') {
    prepareRebalance(group, step)
  } else if (group.state === 'PreparingRebalance' && group.hasAllMembersJoined) {
    completeJoin(group, step)
  }
}

/** Its parked requests get UNKNOWN_MEMBER_ID, so a member that is still there joins anew. */
export function removeMember(
  group: ClassicGroup,
  member: ClassicGroupMember,
  step: GroupStep,
): void {
  answerJoin(member, step, unknownMember())
  answerSync(member, step, syncError(ErrorCode.UNKNOWN_MEMBER_ID))
  group.remove(member.memberId)
  step.turn.cancel(sessionTimer(group.groupId, member.memberId))
}

/** The member has to be heard of within its session timeout from now, or within `timeoutMs`. */
export function scheduleSession(
  group: ClassicGroup,
  member: ClassicGroupMember,
  { turn }: GroupStep,
  timeoutMs: number = member.sessionTimeoutMs,
): void {
  const { groupId } = group
  const { memberId } = member
  turn.schedule(sessionTimer(groupId, memberId), timeoutMs, {
    kind: 'sessionExpired',
    groupId,
    memberId,
  })
}

/** The join answer for a member of the generation as it is, without the member list. */
export function currentGeneration(group: ClassicGroup, memberId: string): JoinGroupResult {
  return {
    errorCode: ErrorCode.NONE,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    leader: group.leaderId ?? '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

export function answerJoin(
  member: ClassicGroupMember,
  { turn }: GroupStep,
  result: JoinGroupResult,
): void {
  if (member.awaitingJoin === null) return
  turn.reply(member.awaitingJoin, result)
  member.awaitingJoin = null
}

export function answerSync(
  member: ClassicGroupMember,
  { turn }: GroupStep,
  result: SyncGroupResult,
): void {
  if (member.awaitingSync === null) return
  turn.reply(member.awaitingSync, result)
  member.awaitingSync = null
}

/** Tells all that wait for the leader; with an error their assignments are void. */
export function answerSyncs(group: ClassicGroup, step: GroupStep, errorCode: ErrorCode): void {
  for (const member of group.members.values()) {
    if (errorCode !== ErrorCode.NONE) member.assignment = NO_BYTES
    if (member.awaitingSync === null) continue
    answerSync(member, step, currentAssignment(group, member, errorCode))
    // While it waited its session was not watched.
    scheduleSession(group, member, step)
  }
}

export function currentAssignment(
  group: ClassicGroup,
  member: ClassicGroupMember,
  errorCode: ErrorCode = ErrorCode.NONE,
): SyncGroupResult {
  if (errorCode !== ErrorCode.NONE) return syncError(errorCode)
  const { protocolType, protocolName } = group
  return { errorCode, protocolType, protocolName, assignment: member.assignment }
}

const unknownMember = (): JoinGroupResult => joinError(ErrorCode.UNKNOWN_MEMBER_ID, '')

function scheduleJoinExpiry(group: ClassicGroup, { turn }: GroupStep): void {
  const { groupId } = group
  turn.schedule(joinTimer(groupId), group.rebalanceTimeoutMs, { kind: 'joinExpired', groupId })
}

function scheduleInitialDelay(
  { groupId }: ClassicGroup,
  { turn }: GroupStep,
  delayMs: number,
  remainingMs: number,
): void {
  turn.schedule(joinTimer(groupId), delayMs, {
    kind: 'initialDelayExpired',
    groupId,
    delayMs,
    remainingMs,
  })
}
