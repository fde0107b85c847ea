import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import { type Assignment, isSameAssignment, NO_ASSIGNMENT } from '../assignors/assignment.ts'
import { assignSimply } from '../assignors/simple-assignor.ts'
import { isSameNames, LEAVE_EPOCH } from '../consumer/consumer-group-member.ts'
import type { TopicHashes } from '../consumer/metadata-hash.ts'
import { type GroupStep, sessionTimer } from '../group-step.ts'
import {
  checkRoom,
  fencedEpoch,
  invalidRequest,
  refuseBlank,
  unknownMember,
} from '../member-checks.ts'
import {
  recordShareAssignment,
  recordShareEpoch,
  recordShareMember,
  recordShareMemberGone,
  recordSharePartitions,
  recordShareTarget,
  recordShareTargetEpoch,
} from './share-changes.ts'
import { ShareGroup } from './share-group.ts'
import { newShareMember, type ShareGroupMember } from './share-group-member.ts'
import type {
  ShareHeartbeatRequest,
  ShareHeartbeatResult,
  ShareInitialization,
} from './share-group-requests.ts'
import { missingShares, sharesOf, withInitializing } from './share-partitions.ts'

/** One step of a share group. */
export interface ShareStep extends GroupStep {
  readonly groups: {
    group(groupId: string): { readonly type: string } | undefined
    put(group: ShareGroup): void
  }
  readonly hashes: TopicHashes
}

export interface ShareHeartbeatOutcome {
  readonly result: ShareHeartbeatResult
  /** State to make, after the answer. */
  readonly initialization: ShareInitialization | null
}

/** Until a topic changes, what a group knows of its topics stays right. */
const METADATA_REFRESH_INTERVAL_MS = 0x7fff_ffff

/**
 * ShareGroupHeartbeat (KIP-932): a member joins, leaves, says what it wants, and is told what it has.
 * All checks come first, so a refusal changes nothing.
 * @throws BrokerError with the code and the text of the answer
 * Source: GroupMetadataManager.shareGroupHeartbeat of Kafka 4.4.
 */
export function shareHeartbeat(
  request: ShareHeartbeatRequest,
  step: ShareStep,
): ShareHeartbeatOutcome {
  checkRequest(request)
  const { groupId, memberId, memberEpoch } = request
  if (memberEpoch === LEAVE_EPOCH) {
    return { result: leave(request, step), initialization: null }
  }
  const group = openShareGroup(groupId, memberEpoch === 0, step)
  const known = checkMember(group, request, step)
  step.groups.put(group)
  const old = known ?? newShareMember(memberId)
  const isAssignmentPending =
    group.assignmentEpoch >= group.groupEpoch && hasUnassignedShares(group)
  const updated = withRequest(old, request)
  const hasOtherNames = !isSameNames(old.subscribedTopicNames, updated.subscribedTopicNames)
  if (known === undefined || !isSameSubscription(old, updated)) {
    recordShareMember(group, updated, step)
  }
  const mustBump = hasOtherNames || isAssignmentPending
  const hasBumped = refreshEpoch(group, mustBump, step)
  updateTarget(group, step)
  const member = reconcile(group, updated, hasBumped, step)
  scheduleSession(groupId, memberId, step)
  const isTold = memberEpoch === 0 || request.subscribedTopicNames !== null
  const hasNew = !isSameAssignment(old.assigned, member.assigned)
  return {
    result: {
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      memberId,
      memberEpoch: member.memberEpoch,
      heartbeatIntervalMs: heartbeatIntervalOf(groupId, step),
      assignment: isTold || hasNew ? listOf(member.assigned) : null,
    },
    initialization: startInitialization(group, step),
  }
}

function checkRequest(request: ShareHeartbeatRequest): void {
  const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames } = request
  refuseBlank(memberId, 'MemberId')
  refuseBlank(groupId, 'GroupId')
  refuseBlank(rackId, 'RackId')
  if (memberEpoch === 0 && (subscribedTopicNames ?? []).length === 0) {
    throw invalidRequest('SubscribedTopicNames must be set in first request.')
  }
  if (memberEpoch < LEAVE_EPOCH) throw invalidRequest('MemberEpoch is invalid.')
}

/** @throws BrokerError GROUP_ID_NOT_FOUND */
export function openShareGroup(groupId: string, mayCreate: boolean, step: ShareStep): ShareGroup {
  const known = step.groups.group(groupId)
  if (known instanceof ShareGroup) return known
  if (known === undefined && mayCreate) return new ShareGroup(groupId)
  const problem = known === undefined ? `Share group ${groupId} not found.` : notShareGroup(groupId)
  throw new BrokerError(ErrorCode.GROUP_ID_NOT_FOUND, problem)
}

/** @throws BrokerError GROUP_ID_NOT_FOUND */
export function existingShareGroup(groupId: string, step: ShareStep): ShareGroup {
  const known = step.groups.group(groupId)
  if (known instanceof ShareGroup) return known
  const problem = known === undefined ? `Group ${groupId} not found.` : notShareGroup(groupId)
  throw new BrokerError(ErrorCode.GROUP_ID_NOT_FOUND, problem)
}

const notShareGroup = (groupId: string): string => `Group ${groupId} is not a share group.`

/** @throws BrokerError GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER_ID or FENCED_MEMBER_EPOCH */
function checkMember(
  group: ShareGroup,
  { memberId, memberEpoch }: ShareHeartbeatRequest,
  { config }: ShareStep,
): ShareGroupMember | undefined {
  checkRoom(group, memberId, null, config.shareMaxSize)
  const member = group.members.get(memberId)
  if (memberEpoch === 0) return member
  if (member === undefined) throw unknownMember(group.groupId, memberId)
  const { previousMemberEpoch } = member
  if (memberEpoch === member.memberEpoch || memberEpoch === previousMemberEpoch) return member
  const butAlso = `, and it does not match the previous member epoch (${previousMemberEpoch})`
  throw fencedEpoch(group, member, memberEpoch, memberEpoch > member.memberEpoch ? '' : butAlso)
}

function leave(request: ShareHeartbeatRequest, step: ShareStep): ShareHeartbeatResult {
  const { groupId, memberId, memberEpoch } = request
  const group = existingShareGroup(groupId, step)
  if (!group.members.has(memberId)) throw unknownMember(groupId, memberId)
  fenceShareMember(group, memberId, step)
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: 0,
    assignment: null,
  }
}

/** A member that left or was silent for too long; the group needs another assignment then. */
export function fenceShareMember(group: ShareGroup, memberId: string, step: ShareStep): void {
  recordShareMemberGone(group, memberId, step)
  step.turn.cancel(sessionTimer(group.groupId, memberId))
  recordShareEpoch(group, group.groupEpoch + 1, metadataHashOf(group, step), step)
  // An empty group needs no assignment, and the next one may be made at once.
  if (group.isEmpty) recordShareTargetEpoch(group, group.groupEpoch, 0, step)
}

export function scheduleSession(groupId: string, memberId: string, step: GroupStep): void {
  const { turn, config } = step
  const timeoutMs = config.ofGroup(groupId).shareSessionTimeoutMs ?? config.shareSessionTimeoutMs
  turn.schedule(sessionTimer(groupId, memberId), timeoutMs, {
    kind: 'sessionExpired',
    groupId,
    memberId,
  })
}

function heartbeatIntervalOf(groupId: string, { config }: ShareStep): number {
  return config.ofGroup(groupId).shareHeartbeatIntervalMs ?? config.shareHeartbeatIntervalMs
}

function withRequest(old: ShareGroupMember, request: ShareHeartbeatRequest): ShareGroupMember {
  const { rackId, subscribedTopicNames, client } = request
  return {
    ...old,
    rackId: rackId ?? old.rackId,
    subscribedTopicNames:
      subscribedTopicNames === null
        ? old.subscribedTopicNames
        : [...new Set(subscribedTopicNames)].sort(),
    clientId: client.clientId,
    clientHost: client.clientHost,
  }
}

function isSameSubscription(a: ShareGroupMember, b: ShareGroupMember): boolean {
  return (
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    isSameNames(a.subscribedTopicNames, b.subscribedTopicNames)
  )
}

/** True when partitions got state that no member was given yet. */
function hasUnassignedShares(group: ShareGroup): boolean {
  const { initialized } = sharesOf(group)
  if (group.isEmpty || initialized.size === 0) return false
  const assigned = new Map<string, Set<number>>()
  for (const target of group.targets.values()) {
    for (const [topicId, partitions] of target) {
      assigned.set(topicId, new Set([...(assigned.get(topicId) ?? []), ...partitions]))
    }
  }
  for (const [topicId, { name, partitions }] of initialized) {
    if (!group.isSubscribedTo(name)) continue
    if (assigned.get(topicId)?.size !== partitions.size) return true
  }
  return false
}

/** @returns true when the group needs another assignment */
function refreshEpoch(group: ShareGroup, mustBump: boolean, step: ShareStep): boolean {
  if (!mustBump && step.turn.nowMs < group.metadataRefreshDeadlineMs) return false
  const hash = metadataHashOf(group, step)
  const isBumped = mustBump || hash !== group.metadataHash
  if (isBumped) recordShareEpoch(group, group.groupEpoch + 1, hash, step)
  group.metadataRefreshDeadlineMs = step.turn.nowMs + METADATA_REFRESH_INTERVAL_MS
  return isBumped
}

function metadataHashOf(group: ShareGroup, { hashes, topics, config }: ShareStep): bigint {
  return hashes.groupHash(group.subscribedTopicNames, topics.topics, config.rack)
}

function topicIdsOf(member: ShareGroupMember, { topics }: ShareStep): ReadonlySet<string> {
  const ids = member.subscribedTopicNames.map((name) => topics.topics.get(name)?.topicId)
  return new Set(ids.filter((id) => id !== undefined))
}

/** Makes the target assignment of the group epoch, if there is none and the last is not too fresh. */
function updateTarget(group: ShareGroup, step: ShareStep): void {
  if (group.assignmentEpoch >= group.groupEpoch) return
  const { turn, config } = step
  const intervalMs =
    config.ofGroup(group.groupId).shareAssignmentIntervalMs ?? config.shareAssignmentIntervalMs
  const { assignmentTimestampMs } = group
  if (assignmentTimestampMs !== 0 && turn.nowMs < assignmentTimestampMs + intervalMs) return
  const { initialized } = sharesOf(group)
  const assignments = assignSimply({
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      instanceId: null,
      topicIds: topicIdsOf(member, step),
      assignment: group.target(member.memberId),
    })),
    isHomogeneous: group.isHomogeneous,
    partitionsOf: (topicId) => [...(initialized.get(topicId)?.partitions ?? [])],
  })
  for (const memberId of group.members.keys()) {
    const assignment = assignments.get(memberId) ?? NO_ASSIGNMENT
    const old = group.targets.get(memberId)
    if (old !== undefined && isSameAssignment(old, assignment)) continue
    recordShareTarget(group, memberId, assignment, step)
  }
  recordShareTargetEpoch(group, group.groupEpoch, turn.nowMs, step)
}

/** The member has what it shall have at once: nobody has to give anything up before. */
function reconcile(
  group: ShareGroup,
  member: ShareGroupMember,
  hasSubscriptionChanged: boolean,
  step: ShareStep,
): ShareGroupMember {
  const isReconciled = member.memberEpoch === group.assignmentEpoch
  if (isReconciled && !hasSubscriptionChanged) return member
  const topicIds = topicIdsOf(member, step)
  const target = [...group.target(member.memberId)].filter(([topicId]) => topicIds.has(topicId))
  const next = {
    ...member,
    memberEpoch: group.assignmentEpoch,
    previousMemberEpoch: isReconciled ? member.previousMemberEpoch : member.memberEpoch,
    assigned: new Map(target),
  }
  if (isReconciled && isSameAssignment(next.assigned, member.assigned)) return member
  recordShareAssignment(group, next, step)
  return next
}

function listOf(assignment: Assignment) {
  return [...assignment].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
}

/** Asks for state of partitions that have none; members get them once it is there. */
function startInitialization(group: ShareGroup, step: ShareStep): ShareInitialization | null {
  const missing = missingShares(group, step.topics, step.turn.nowMs)
  if (missing.size === 0) return null
  const shares = sharesOf(group)
  const isKnown = (topicId: string): boolean =>
    shares.initialized.has(topicId) || shares.initializing.has(topicId)
  const partitions = [...missing].flatMap(([topicId, topic]) =>
    [...topic.partitions].map((partition) => {
      // Partitions that a topic got later are read from their beginning.
      return { topicId, partition, startOffset: isKnown(topicId) ? 0 : -1 }
    }),
  )
  recordSharePartitions(group, withInitializing(shares, missing), step)
  return { groupId: group.groupId, stateEpoch: group.groupEpoch, partitions }
}
