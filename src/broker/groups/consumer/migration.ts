import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import { ClassicGroup } from '../classic/classic-group.ts'
import { type ClassicGroupMember, makeMember } from '../classic/classic-group-member.ts'
import { joinError, syncError } from '../classic/classic-group-requests.ts'
import {
  answerJoin,
  answerSync,
  prepareRebalance,
  scheduleSession,
} from '../classic/classic-rebalance.ts'
import type { Group } from '../group.ts'
import type { GroupConfig } from '../group-config.ts'
import { groupMetadataRecord, groupTombstone } from '../group-coordinator-records.ts'
import { joinTimer, sessionTimer, syncTimer } from '../group-step.ts'
import {
  assignedPartitions,
  encodedAssignment,
  readSubscription,
  UnknownAssignorError,
} from './classic-protocol.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerGroupMember, MemberState, newMember } from './consumer-group-member.ts'
import type { ConsumerStep } from './consumer-step.ts'
import { cancelMemberTimers, scheduleMemberSession } from './member-timers.ts'
import { withEpoch } from './partition-epochs.ts'
import {
  recordCurrentAssignment,
  recordEpoch,
  recordGroupGone,
  recordMember,
  recordTarget,
  recordTargetEpoch,
} from './recorded-changes.ts'
import { metadataHashOf } from './target-assignment.ts'

/**
 * The consumer group that a classic one with members becomes when somebody joins it with the consumer
 * protocol. Nothing is changed yet.
 * @throws BrokerError GROUP_ID_NOT_FOUND when it can't become one, with the reason
 */
export function upgraded(classic: Group, step: ConsumerStep): ConsumerGroup {
  const { groupId } = classic
  const refuse = (reason: string): BrokerError =>
    new BrokerError(
      ErrorCode.GROUP_ID_NOT_FOUND,
      `Cannot upgrade classic group ${groupId} to consumer group because ${reason}.`,
    )
  const { migrationPolicy, consumerMaxSize } = step.config
  if (migrationPolicy !== 'bidirectional' && migrationPolicy !== 'upgrade') {
    throw refuse('online upgrade is disabled')
  }
  if (!(classic instanceof ClassicGroup) || !classic.usesConsumerProtocol) {
    throw refuse('the group does not use the consumer embedded protocol')
  }
  if (classic.members.size > consumerMaxSize) {
    throw refuse('the group size exceeds the consumer group maximum size')
  }
  const group = new ConsumerGroup(groupId)
  group.groupEpoch = classic.generationId
  group.assignmentEpoch = classic.generationId
  try {
    for (const member of classic.members.values()) addUpgraded(group, classic, member, step)
  } catch (error) {
    if (error instanceof UnknownAssignorError) {
      throw refuse(
        'an unsupported custom assignor is in use. Please refer to the documentation or switch to ' +
          'a default assignor before re-attempting the upgrade',
      )
    }
    throw refuse('the embedded consumer protocol is malformed')
  }
  group.metadataHash = metadataHashOf(group, step)
  return group
}

function addUpgraded(
  group: ConsumerGroup,
  classic: ClassicGroup,
  member: ClassicGroupMember,
  { topics }: ConsumerStep,
): void {
  const { memberId, protocols, sessionTimeoutMs } = member
  const chosen = protocols.find(({ name }) => name === classic.protocolName) ?? protocols[0]
  const subscription = readSubscription(chosen?.metadata)
  const assignment = assignedPartitions(member.assignment, topics)
  group.setTarget(memberId, assignment)
  group.putMember({
    ...newMember(memberId),
    instanceId: member.groupInstanceId,
    rackId: subscription.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    subscribedTopicNames: subscription.topicNames,
    classic: { sessionTimeoutMs, supportedProtocols: protocols },
    memberEpoch: classic.generationId,
    previousMemberEpoch: classic.generationId,
    state: MemberState.STABLE,
    assigned: withEpoch(assignment, classic.generationId),
  })
}

/** Puts the consumer group in the place of the classic one. What waits there has to start anew. */
export function adoptClassicGroup(classic: Group, group: ConsumerGroup, step: ConsumerStep): void {
  const { turn } = step
  const { groupId } = group
  if (classic instanceof ClassicGroup) {
    for (const member of classic.members.values()) {
      answerJoin(member, step, joinError(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId))
      answerSync(member, step, syncError(ErrorCode.REBALANCE_IN_PROGRESS))
    }
    for (const memberId of classic.pendingJoinMembers) turn.cancel(sessionTimer(groupId, memberId))
  }
  turn.cancel(joinTimer(groupId))
  turn.cancel(syncTimer(groupId))
  turn.append(groupTombstone(groupId))
  const members = [...group.members.values()]
  for (const member of members) recordMember(group, member, step)
  recordEpoch(group, group.groupEpoch, group.metadataHash, step)
  for (const { memberId } of members) recordTarget(group, memberId, group.target(memberId), step)
  recordTargetEpoch(group, group.assignmentEpoch, 0, step)
  for (const member of members) recordCurrentAssignment(group, member, step)
  step.groups.put(group)
  for (const member of members) scheduleMemberSession(group, member, step)
}

/** True when the group can go on as a classic one without these members. */
export function canDowngrade(
  group: ConsumerGroup,
  leaving: readonly ConsumerGroupMember[],
  config: GroupConfig,
): boolean {
  const restCount = group.members.size - leaving.length
  const leavingClassicCount = leaving.filter(({ classic }) => classic !== null).length
  if (group.classicMemberCount - leavingClassicCount !== restCount) return false
  return restCount > 0 && restCount <= config.maxSize && isDowngradeEnabled(config)
}

/** True when the group can go on as a classic one with a classic member in the place of this one. */
export function isLastOfItsKind(
  group: ConsumerGroup,
  { classic }: ConsumerGroupMember,
  config: GroupConfig,
): boolean {
  const { size } = group.members
  if (classic !== null || group.classicMemberCount !== size - 1) return false
  return size <= config.maxSize && isDowngradeEnabled(config)
}

const isDowngradeEnabled = ({ migrationPolicy }: GroupConfig): boolean =>
  migrationPolicy === 'bidirectional' || migrationPolicy === 'downgrade'

export interface Downgrade {
  readonly leaving: readonly ConsumerGroupMember[]
  /** The members need other assignments than those they have. */
  readonly mustRebalance: boolean
}

/** Puts a classic group in the place of the consumer group; all members but the leaving are classic. */
export function downgrade(
  group: ConsumerGroup,
  { leaving, mustRebalance }: Downgrade,
  step: ConsumerStep,
): ClassicGroup {
  const { groupId } = group
  const gone = new Set(leaving.map(({ memberId }) => memberId))
  const classic = new ClassicGroup(groupId, {
    state: 'Stable',
    generationId: group.groupEpoch,
    stateTimestampMs: step.turn.nowMs,
  })
  for (const member of group.members.values()) {
    if (!gone.has(member.memberId)) addDowngraded(classic, member)
  }
  classic.protocolName = classic.selectProtocol()
  classic.refreshSubscribedTopics()
  for (const member of classic.members.values()) {
    const chosen = member.protocols.find(({ name }) => name === classic.protocolName)
    const target = group.target(member.memberId)
    member.assignment = encodedAssignment(target, chosen?.metadata, step.topics)
  }
  for (const memberId of group.members.keys()) cancelMemberTimers(groupId, memberId, step)
  recordGroupGone(group, step)
  step.turn.append(groupMetadataRecord(classic))
  step.groups.put(classic)
  for (const member of classic.members.values()) scheduleSession(classic, member, step)
  if (mustRebalance) prepareRebalance(classic, step)
  return classic
}

function addDowngraded(classic: ClassicGroup, member: ConsumerGroupMember): void {
  const facts = {
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    client: { clientId: member.clientId, clientHost: member.clientHost },
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    sessionTimeoutMs: member.classic?.sessionTimeoutMs ?? member.rebalanceTimeoutMs,
    protocols: member.classic?.supportedProtocols ?? [],
  }
  classic.add(makeMember(facts), 'consumer')
}
