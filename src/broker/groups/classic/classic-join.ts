import { ErrorCode } from '../../../base/error-code.ts'
import type { Reply } from '../../coordinator/coordinator-turn.ts'
import { groupMetadataRecord } from '../group-coordinator-records.ts'
import { type GroupStep, sessionTimer } from '../group-step.ts'
import type { ClassicGroup } from './classic-group.ts'
import { type ClassicGroupMember, hasSameProtocols, makeMember } from './classic-group-member.ts'
import {
  type JoinGroupRequest,
  type JoinGroupResult,
  joinError,
  syncError,
} from './classic-group-requests.ts'
import {
  answerJoin,
  answerSync,
  completeJoinIfAllJoined,
  currentGeneration,
  prepareRebalance,
  rebalanceOrCompleteJoin,
  scheduleSession,
} from './classic-rebalance.ts'

/**
 * A new member's JoinGroup may wait long and nobody hears from it meanwhile: after this it is taken
 * as gone. A client that is still there asks again. Source: NewMemberJoinTimeout of Kafka.
 */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000

/** Ids that were given and not used yet: a client that only asks for ids must not fill the memory. */
const MAX_PENDING_MEMBERS = 10_000

/** One JoinGroup and where its answer goes. */
interface Join {
  readonly group: ClassicGroup
  readonly request: JoinGroupRequest
  readonly reply: Reply<JoinGroupResult>
  readonly step: GroupStep
}

/** JoinGroup of a group that exists, or was just made for it. */
export function joinClassicGroup(
  group: ClassicGroup,
  request: JoinGroupRequest,
  reply: Reply<JoinGroupResult>,
  step: GroupStep,
): void {
  const join: Join = { group, request, reply, step }
  const { memberId } = request
  if (!hasRoomFor(group, memberId, step)) {
    group.remove(memberId)
    step.turn.cancel(sessionTimer(group.groupId, memberId))
    refuse(join, ErrorCode.GROUP_MAX_SIZE_REACHED, '')
  } else if (!group.supportsProtocols(request.protocolType, request.protocols)) {
    refuse(join, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  } else if (memberId === '') {
    joinNewMember(join)
  } else if (group.pendingJoinMembers.has(memberId)) {
    if (request.groupInstanceId !== null) refuse(join, ErrorCode.UNKNOWN_MEMBER_ID)
    else addMember(join, memberId)
  } else {
    rejoin(join)
  }
}

function refuse(join: Join, errorCode: ErrorCode, memberId = join.request.memberId): void {
  join.step.turn.reply(join.reply, joinError(errorCode, memberId))
}

/** While members join, only those that wait count, so the last ones of a too large group are out. */
function hasRoomFor(group: ClassicGroup, memberId: string, { config }: GroupStep): boolean {
  const member = group.members.get(memberId)
  if (group.state === 'Empty') return true
  if (group.state === 'PreparingRebalance') {
    if (member !== undefined && member.awaitingJoin !== null) return true
    return group.awaitingJoinCount < config.maxSize
  }
  return member !== undefined || group.members.size < config.maxSize
}

function joinNewMember(join: Join): void {
  const { group, request, step } = join
  const { groupInstanceId, client } = request
  const memberId = `${groupInstanceId ?? client.clientId}-${step.turn.uuid()}`
  if (groupInstanceId !== null) {
    const currentId = group.staticMemberId(groupInstanceId)
    const current = currentId === undefined ? undefined : group.members.get(currentId)
    if (current === undefined) addMember(join, memberId)
    else replaceStaticMember(join, current, memberId)
  } else if (request.isMemberIdRequired) {
    if (group.pendingJoinMembers.size >= MAX_PENDING_MEMBERS) {
      refuse(join, ErrorCode.GROUP_MAX_SIZE_REACHED)
      return
    }
    group.pendingJoinMembers.add(memberId)
    step.turn.schedule(sessionTimer(group.groupId, memberId), request.sessionTimeoutMs, {
      kind: 'sessionExpired',
      groupId: group.groupId,
      memberId,
    })
    refuse(join, ErrorCode.MEMBER_ID_REQUIRED, memberId)
  } else {
    addMember(join, memberId)
  }
}

function addMember(join: Join, memberId: string): void {
  const { group, request, step } = join
  const member = makeMember({ ...request, memberId })
  member.isNew = true
  member.awaitingJoin = join.reply
  if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') {
    group.hasNewMember = true
  }
  group.add(member, request.protocolType)
  scheduleSession(group, member, step, NEW_MEMBER_JOIN_TIMEOUT_MS)
  rebalanceOrCompleteJoin(group, step)
}

/** JoinGroup with the id of a member that was in a generation. */
function rejoin(join: Join): void {
  const { group, request } = join
  const errorCode = group.checkMember(request.memberId, request.groupInstanceId)
  const member = group.members.get(request.memberId)
  if (errorCode !== ErrorCode.NONE || member === undefined) {
    refuse(join, errorCode)
    return
  }
  if (group.state === 'PreparingRebalance') {
    updateAndRebalance(join, member)
    return
  }
  if (group.state === 'Empty') {
    refuse(join, ErrorCode.UNKNOWN_MEMBER_ID)
    return
  }
  const isLeader = group.leaderId === member.memberId
  const hasChanged = !hasSameProtocols(member, request.protocols)
  // A leader of a stable group rejoins to have the assignment made anew.
  if (hasChanged || (isLeader && group.state === 'Stable')) {
    updateAndRebalance(join, member)
    return
  }
  join.step.turn.reply(join.reply, {
    ...currentGeneration(group, member.memberId),
    members: isLeader ? group.joinedMembers() : [],
  })
}

function updateAndRebalance(join: Join, member: ClassicGroupMember): void {
  update(join, member)
  rebalanceOrCompleteJoin(join.group, join.step)
}

/** What the member says now holds, and this request waits in place of an earlier one. */
function update({ request, reply, step }: Join, member: ClassicGroupMember): void {
  answerJoin(member, step, joinError(ErrorCode.UNKNOWN_MEMBER_ID, ''))
  member.protocols = request.protocols
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
  member.sessionTimeoutMs = request.sessionTimeoutMs
  member.clientId = request.client.clientId
  member.clientHost = request.client.clientHost
  member.awaitingJoin = reply
}

/**
 * A static member came back without its member id: it gets a new one, the old one is fenced, and a
 * stable group whose protocol stays the same goes on without a rebalance (KIP-345, KIP-814).
 */
function replaceStaticMember(join: Join, old: ClassicGroupMember, memberId: string): void {
  const { group, step } = join
  const leaderBefore = group.leaderId
  answerJoin(old, step, joinError(ErrorCode.FENCED_INSTANCE_ID, old.memberId))
  answerSync(old, step, syncError(ErrorCode.FENCED_INSTANCE_ID))
  step.turn.cancel(sessionTimer(group.groupId, old.memberId))
  const member: ClassicGroupMember = { ...old, memberId }
  group.replace(old.memberId, member)
  update(join, member)
  scheduleSession(group, member, step)
  if (group.state === 'CompletingRebalance') {
    // The leader may be assigning to the old member id right now.
    prepareRebalance(group, step)
  } else if (group.state !== 'Stable') {
    completeJoinIfAllJoined(group, step)
  } else if (group.selectProtocol() === group.protocolName) {
    group.refreshSubscribedTopics()
    step.turn.append(groupMetadataRecord(group))
    answerJoin(member, step, staticRejoinResult(join, member, leaderBefore))
  } else {
    rebalanceOrCompleteJoin(group, step)
  }
}

function staticRejoinResult(
  { group, request }: Join,
  member: ClassicGroupMember,
  leaderBefore: string | null,
): JoinGroupResult {
  const result = currentGeneration(group, member.memberId)
  if (!request.canSkipAssignment) {
    // A client before KIP-814 would assign if it saw that it leads, so it is told the old id.
    return { ...result, leader: leaderBefore ?? '' }
  }
  const isLeader = group.leaderId === member.memberId
  return { ...result, skipAssignment: isLeader, members: isLeader ? group.joinedMembers() : [] }
}
