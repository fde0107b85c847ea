import type { ConsumerGroup } from './consumer-group.ts'
import {
  type ConsumerGroupMember,
  isReconciledTo,
  isSameNames,
  isSameSubscription,
  MemberState,
} from './consumer-group-member.ts'
import type { ConsumerStep } from './consumer-step.ts'
import { cancelMemberTimers, cancelRebalance, scheduleRebalance } from './member-timers.ts'
import { isSameEpochs, type TopicPartitions } from './partition-epochs.ts'
import { reconcile } from './reconciliation.ts'
import {
  recordCurrentAssignment,
  recordMember,
  recordMemberGone,
  recordTarget,
} from './recorded-changes.ts'
import { updateRegexes } from './regex-subscriptions.ts'
import { assignorNameOf, refreshEpoch, subscribedTopicIds } from './target-assignment.ts'

/** A static member that comes back goes on where the old one was, under its new member id. */
export function replaceStaticMember(
  group: ConsumerGroup,
  old: ConsumerGroupMember,
  memberId: string,
  step: ConsumerStep,
): ConsumerGroupMember {
  const target = group.target(old.memberId)
  const member = { ...old, memberId, memberEpoch: 0, previousMemberEpoch: 0 }
  recordMemberGone(group, old.memberId, step)
  cancelMemberTimers(group.groupId, old.memberId, step)
  recordMember(group, member, step)
  recordTarget(group, memberId, target, step)
  recordCurrentAssignment(group, member, step)
  return member
}

/**
 * Takes in what a member wants now; the group epoch goes up if that asks for another assignment, or
 * if a topic of the group changed.
 * @returns true when the member wants other topics than before
 */
export function updateSubscription(
  group: ConsumerGroup,
  old: ConsumerGroupMember,
  updated: ConsumerGroupMember,
  step: ConsumerStep,
): boolean {
  const assignorBefore = assignorNameOf(group, step.config)
  if (!isSameSubscription(old, updated)) recordMember(group, updated, step)
  const hasOtherNames = !isSameNames(old.subscribedTopicNames, updated.subscribedTopicNames)
  const regexes = updateRegexes(group, old, updated, step)
  const hasOtherAssignor = assignorNameOf(group, step.config) !== assignorBefore
  const mustBump = hasOtherNames || regexes.needsTarget || hasOtherAssignor
  if (mustBump || step.turn.nowMs >= group.metadataRefreshDeadlineMs) {
    refreshEpoch(group, mustBump, step)
  }
  return hasOtherNames || regexes.hasChanged
}

/** One step of the member towards its target. @returns the member as it is then */
export function reconcileMember(
  group: ConsumerGroup,
  member: ConsumerGroupMember,
  hasSubscriptionChanged: boolean,
  owned: readonly TopicPartitions[] | null,
  step: ConsumerStep,
): ConsumerGroupMember {
  const targetEpoch = group.assignmentEpoch
  if (!hasSubscriptionChanged && isReconciledTo(member, targetEpoch)) return member
  const next = reconcile({
    member,
    targetEpoch,
    target: group.target(member.memberId),
    subscribedTopicIds: subscribedTopicIds(group, member, step.topics),
    hasSubscriptionChanged,
    owned,
    ownerOf: (topicId, partition) => group.ownerOf(topicId, partition),
  })
  if (isSamePlace(member, next)) return member
  recordCurrentAssignment(group, next, step)
  if (next.classic !== null) return next
  if (next.state === MemberState.UNREVOKED_PARTITIONS) scheduleRebalance(group.groupId, next, step)
  else cancelRebalance(group.groupId, next.memberId, step)
  return next
}

function isSamePlace(a: ConsumerGroupMember, b: ConsumerGroupMember): boolean {
  return (
    a.state === b.state &&
    a.memberEpoch === b.memberEpoch &&
    a.previousMemberEpoch === b.previousMemberEpoch &&
    isSameEpochs(a.assigned, b.assigned) &&
    isSameEpochs(a.pendingRevocation, b.pendingRevocation)
  )
}
