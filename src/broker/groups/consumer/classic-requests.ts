import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import type { Assignment } from '../assignors/assignment.ts'
import type {
  HeartbeatRequest,
  JoinGroupRequest,
  JoinGroupResult,
  LeaveGroupRequest,
  LeaveGroupResult,
  LeavingMember,
  SyncGroupRequest,
  SyncGroupResult,
} from '../classic/classic-group-requests.ts'
import { checkRoom, staticMember, unknownMember } from '../member-checks.ts'
import { encodedAssignment, ownedPartitions, readSubscription } from './classic-protocol.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerGroupMember, MemberState, newMember } from './consumer-group-member.ts'
import type { ConsumerStep } from './consumer-step.ts'
import { madeUpId } from './heartbeat.ts'
import { fenceMembers } from './leave.ts'
import {
  cancelMemberSync,
  cancelRejoin,
  scheduleMemberSession,
  scheduleMemberSync,
  scheduleRejoin,
} from './member-timers.ts'
import { reconcileMember, replaceStaticMember, updateSubscription } from './member-updates.ts'
import { downgrade, isLastOfItsKind } from './migration.ts'
import { updateTarget } from './target-assignment.ts'

/**
 * Requests of the classic protocol to a consumer group that has members: a group may be moved from
 * one protocol to the other member by member (KIP-848). The broker assigns; a classic member learns
 * it by Join and Sync, at its own time. All of these throw BrokerError for a refusal.
 */

/** JoinGroup. Nobody waits for the others; the generation is the member epoch. */
export function joinWithClassicProtocol(
  group: ConsumerGroup,
  request: JoinGroupRequest,
  step: ConsumerStep,
): JoinGroupResult {
  const { groupInstanceId: instanceId } = request
  const isNew = request.memberId === ''
  checkClassicJoin(group, request, step)
  const memberId = isNew ? madeUpId(step) : request.memberId
  if (isNew && instanceId === null && request.isMemberIdRequired) {
    return joined(memberId, { errorCode: ErrorCode.MEMBER_ID_REQUIRED })
  }
  const known = knownClassicMember(group, request, memberId)
  const subscription = readClassicSubscription(request)

  const isBack = isNew && instanceId !== null && known !== undefined
  const mayDowngrade = isBack && isLastOfItsKind(group, known, step.config)
  const old = isBack
    ? replaceStaticMember(group, known, memberId, step)
    : (known ?? newMember(memberId))
  const updated: ConsumerGroupMember = {
    ...old,
    instanceId: instanceId ?? old.instanceId,
    rackId: subscription.rackId ?? old.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    subscribedTopicNames: subscription.topicNames,
    subscribedTopicRegex: '',
    clientId: request.client.clientId,
    clientHost: request.client.clientHost,
    classic: {
      sessionTimeoutMs: request.sessionTimeoutMs,
      supportedProtocols: request.protocols,
    },
  }
  const hasChanged = updateSubscription(group, old, updated, step)
  const owned = ownedPartitions(subscription, step.topics)
  const mustRebalance = group.assignmentEpoch < group.groupEpoch
  if (!mayDowngrade) updateTarget(group, step)
  const member =
    mayDowngrade && mustRebalance
      ? updated
      : reconcileMember(group, updated, hasChanged, owned, step)
  cancelRejoin(group, memberId, step)
  if (mayDowngrade) {
    downgrade(group, { leaving: [], mustRebalance }, step)
  } else {
    scheduleMemberSession(group, member, step)
    scheduleMemberSync(group, member, step)
  }
  return joined(memberId, {
    generationId: member.memberEpoch,
    protocolType: group.protocolType,
    protocolName: request.protocols[0]?.name ?? null,
  })
}

function joined(memberId: string, facts: Partial<JoinGroupResult>): JoinGroupResult {
  return {
    errorCode: ErrorCode.NONE,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
    ...facts,
  }
}

function checkClassicJoin(
  group: ConsumerGroup,
  { memberId, groupInstanceId, protocolType, protocols }: JoinGroupRequest,
  { config }: ConsumerStep,
): void {
  if (config.migrationPolicy === 'disabled') {
    throw new BrokerError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  }
  checkRoom(group, memberId, groupInstanceId, config.consumerMaxSize)
  const names = protocols.map(({ name }) => name)
  if (!group.supportsClassicProtocols(protocolType, names)) {
    throw new BrokerError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  }
}

function knownClassicMember(
  group: ConsumerGroup,
  { memberId: requestedId, groupInstanceId }: JoinGroupRequest,
  memberId: string,
): ConsumerGroupMember | undefined {
  if (groupInstanceId === null) return group.members.get(memberId)
  if (requestedId === '') return group.staticMember(groupInstanceId)
  return staticMember(group, memberId, groupInstanceId)
}

/** What the member does not say in a way known here it can't get partitions for. */
function readClassicSubscription({ protocols }: JoinGroupRequest) {
  try {
    return readSubscription(protocols[0]?.metadata)
  } catch {
    // Bytes of a client, of which nothing but this is known.
    throw new BrokerError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  }
}

/** SyncGroup: what the member has now. */
export function syncWithClassicProtocol(
  group: ConsumerGroup,
  request: SyncGroupRequest,
  step: ConsumerStep,
): SyncGroupResult {
  const member = checkGeneration(group, request)
  const [protocol] = member.classic?.supportedProtocols ?? []
  if (
    (request.protocolType !== null && request.protocolType !== group.protocolType) ||
    (request.protocolName !== null && request.protocolName !== protocol?.name)
  ) {
    throw new BrokerError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  }
  const isBehind = group.assignmentEpoch > member.memberEpoch
  if (isBehind && member.state !== MemberState.UNREVOKED_PARTITIONS) {
    scheduleRejoin(group, member, step)
    throw new BrokerError(ErrorCode.REBALANCE_IN_PROGRESS)
  }
  cancelMemberSync(group.groupId, member.memberId, step)
  scheduleMemberSession(group, member, step)
  return {
    errorCode: ErrorCode.NONE,
    protocolType: request.protocolType,
    protocolName: request.protocolName,
    assignment: encodedAssignment(assignmentOf(member), protocol?.metadata, step.topics),
  }
}

function assignmentOf({ assigned }: ConsumerGroupMember): Assignment {
  return new Map([...assigned].map(([topicId, epochs]) => [topicId, new Set(epochs.keys())]))
}

/** Heartbeat: REBALANCE_IN_PROGRESS when the member has to join again to take the next step. */
export function heartbeatWithClassicProtocol(
  group: ConsumerGroup,
  request: HeartbeatRequest,
  step: ConsumerStep,
): ErrorCode {
  const member = checkGeneration(group, request)
  scheduleMemberSession(group, member, step)
  const mustRejoin =
    member.memberEpoch < group.assignmentEpoch ||
    member.state === MemberState.UNREVOKED_PARTITIONS ||
    (member.state === MemberState.UNRELEASED_PARTITIONS && !waitsForOthers(group, member))
  if (!mustRejoin) return ErrorCode.NONE
  scheduleRejoin(group, member, step)
  return ErrorCode.REBALANCE_IN_PROGRESS
}

function waitsForOthers(
  group: ConsumerGroup,
  { memberId, assigned }: ConsumerGroupMember,
): boolean {
  for (const [topicId, partitions] of group.target(memberId)) {
    const epochs = assigned.get(topicId)
    for (const partition of partitions) {
      if (epochs?.has(partition) === true) continue
      if (group.ownerOf(topicId, partition) !== undefined) return true
    }
  }
  return false
}

function checkGeneration(
  group: ConsumerGroup,
  request: Pick<HeartbeatRequest, 'memberId' | 'groupInstanceId' | 'generationId'>,
): ConsumerGroupMember {
  const { memberId, groupInstanceId, generationId } = request
  const member =
    groupInstanceId === null
      ? group.members.get(memberId)
      : staticMember(group, memberId, groupInstanceId)
  if (member === undefined) throw unknownMember(group.groupId, memberId)
  if (member.classic === null) throw new BrokerError(ErrorCode.UNKNOWN_MEMBER_ID)
  if (member.memberEpoch !== generationId) throw new BrokerError(ErrorCode.ILLEGAL_GENERATION)
  return member
}

/** LeaveGroup: each member has its own outcome. Operators remove members of either protocol so. */
export function leaveWithClassicProtocol(
  group: ConsumerGroup,
  request: LeaveGroupRequest,
  step: ConsumerStep,
): LeaveGroupResult {
  const leaving = new Map<string, ConsumerGroupMember>()
  const members = request.members.map((one) => {
    try {
      const member = leavingMember(group, one)
      leaving.set(member.memberId, member)
      return { ...one, errorCode: ErrorCode.NONE }
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      return { ...one, errorCode: error.code }
    }
  })
  fenceMembers(group, [...leaving.values()], step)
  return { errorCode: ErrorCode.NONE, members }
}

function leavingMember(
  group: ConsumerGroup,
  { memberId, groupInstanceId }: LeavingMember,
): ConsumerGroupMember {
  if (groupInstanceId === null) {
    const member = group.members.get(memberId)
    if (member === undefined) throw unknownMember(group.groupId, memberId)
    return member
  }
  const current = group.staticMember(groupInstanceId)?.memberId ?? memberId
  return staticMember(group, memberId === '' ? current : memberId, groupInstanceId)
}
