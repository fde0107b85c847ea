import {
  type GroupStep,
  memberSyncTimer,
  rebalanceTimer,
  rejoinTimer,
  sessionTimer,
} from '../group-step.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'

/** The member has to be heard of within its session timeout from now. */
export function scheduleMemberSession(
  { groupId }: ConsumerGroup,
  { memberId, classic }: ConsumerGroupMember,
  { turn, config }: GroupStep,
): void {
  const timeoutMs =
    classic?.sessionTimeoutMs ??
    config.ofGroup(groupId).consumerSessionTimeoutMs ??
    config.consumerSessionTimeoutMs
  turn.schedule(sessionTimer(groupId, memberId), timeoutMs, {
    kind: 'sessionExpired',
    groupId,
    memberId,
  })
}

/** The member has to give up partitions within its rebalance timeout. */
export function scheduleRebalance(
  groupId: string,
  { memberId, memberEpoch, rebalanceTimeoutMs }: ConsumerGroupMember,
  { turn }: GroupStep,
): void {
  turn.schedule(rebalanceTimer(groupId, memberId), rebalanceTimeoutMs, {
    kind: 'rebalanceExpired',
    groupId,
    memberId,
    memberEpoch,
  })
}

export function cancelRebalance(groupId: string, memberId: string, { turn }: GroupStep): void {
  turn.cancel(rebalanceTimer(groupId, memberId))
}

/** A classic member was told to rejoin; the time does not start anew when it is told again. */
export function scheduleRejoin(
  group: ConsumerGroup,
  { memberId, rebalanceTimeoutMs }: ConsumerGroupMember,
  { turn }: GroupStep,
): void {
  const { groupId } = group
  if (group.membersToRejoin.has(memberId)) return
  group.membersToRejoin.add(memberId)
  turn.schedule(rejoinTimer(groupId, memberId), rebalanceTimeoutMs, {
    kind: 'rejoinExpired',
    groupId,
    memberId,
  })
}

export function cancelRejoin(group: ConsumerGroup, memberId: string, { turn }: GroupStep): void {
  group.membersToRejoin.delete(memberId)
  turn.cancel(rejoinTimer(group.groupId, memberId))
}

/** A classic member that joined has to sync. */
export function scheduleMemberSync(
  { groupId }: ConsumerGroup,
  { memberId, rebalanceTimeoutMs }: ConsumerGroupMember,
  { turn }: GroupStep,
): void {
  turn.schedule(memberSyncTimer(groupId, memberId), rebalanceTimeoutMs, {
    kind: 'memberSyncExpired',
    groupId,
    memberId,
  })
}

export function cancelMemberSync(groupId: string, memberId: string, { turn }: GroupStep): void {
  turn.cancel(memberSyncTimer(groupId, memberId))
}

/** All timers of a member that goes away. */
export function cancelMemberTimers(groupId: string, memberId: string, { turn }: GroupStep): void {
  turn.cancel(sessionTimer(groupId, memberId))
  turn.cancel(rebalanceTimer(groupId, memberId))
  turn.cancel(rejoinTimer(groupId, memberId))
  turn.cancel(memberSyncTimer(groupId, memberId))
}
