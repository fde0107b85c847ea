import { assert } from '../../../base/assert.ts'
import { isSameAssignment, NO_ASSIGNMENT } from '../assignors/assignment.ts'
import { PARTITION_ASSIGNORS } from '../assignors/known-assignors.ts'
import type { GroupConfig } from '../group-config.ts'
import type { GroupTopics } from '../group-step.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import type { ConsumerStep } from './consumer-step.ts'
import {
  recordEpoch,
  recordPartitionMetadataGone,
  recordTarget,
  recordTargetEpoch,
} from './recorded-changes.ts'

/** Until a topic changes, what a group knows of its topics stays right. */
const METADATA_REFRESH_INTERVAL_MS = 0x7fff_ffff

/** The assignor of the group: what most members ask for, or the first of the broker. */
export function assignorNameOf(group: ConsumerGroup, config: GroupConfig): string {
  return group.preferredAssignor ?? config.consumerAssignors[0] ?? 'uniform'
}

/** Looks at the topics of the group; the group epoch goes up if they changed, or if it must. */
export function refreshEpoch(group: ConsumerGroup, mustBump: boolean, step: ConsumerStep): void {
  const hash = metadataHashOf(group, step)
  if (mustBump || hash !== group.metadataHash) {
    recordEpoch(group, group.groupEpoch + 1, hash, step)
  }
  group.metadataRefreshDeadlineMs = step.turn.nowMs + METADATA_REFRESH_INTERVAL_MS
  if (group.hasPartitionMetadataRecord) recordPartitionMetadataGone(group, step)
}

export function metadataHashOf(group: ConsumerGroup, step: ConsumerStep): bigint {
  const { hashes, topics, config } = step
  return hashes.groupHash(group.subscribedTopicNames, topics.topics, config.rack)
}

/** Topics that exist and that the member wants. */
export function subscribedTopicIds(
  group: ConsumerGroup,
  member: ConsumerGroupMember,
  { topics }: GroupTopics,
): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const name of group.topicNamesOf(member)) {
    const id = topics.get(name)?.topicId
    if (id !== undefined) ids.add(id)
  }
  return ids
}

/**
 * Makes the target assignment of the group epoch, if it is not made yet and the last one is not too
 * fresh: in a group that comes up, members join one by one, and each would move partitions.
 */
export function updateTarget(group: ConsumerGroup, step: ConsumerStep): void {
  if (group.assignmentEpoch >= group.groupEpoch) return
  const { turn, config, topics } = step
  const { assignmentTimestampMs } = group
  const intervalMs =
    config.ofGroup(group.groupId).consumerAssignmentIntervalMs ??
    config.consumerAssignmentIntervalMs
  const isTooEarly = turn.nowMs < assignmentTimestampMs + intervalMs
  if (assignmentTimestampMs !== 0 && isTooEarly) return
  const assign = PARTITION_ASSIGNORS.get(assignorNameOf(group, config))
  assert(assign !== undefined, 'members ask for assignors that there are')
  const assignments = assign({
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      topicIds: subscribedTopicIds(group, member, topics),
      assignment: group.target(member.memberId),
    })),
    isHomogeneous: group.isHomogeneous,
    partitionCount: (topicId) => topics.topicsById.get(topicId)?.partitions.length ?? 0,
  })
  for (const memberId of group.members.keys()) {
    const assignment = assignments.get(memberId) ?? NO_ASSIGNMENT
    const old = group.targets.get(memberId)
    if (old !== undefined && isSameAssignment(old, assignment)) continue
    recordTarget(group, memberId, assignment, step)
  }
  recordTargetEpoch(group, group.groupEpoch, turn.nowMs, step)
}
