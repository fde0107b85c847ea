import type { Assignment } from '../assignors/assignment.ts'
import type { GroupStep } from '../group-step.ts'
import type { ShareGroup, SharePartitions } from './share-group.ts'
import type { ShareGroupMember } from './share-group-member.ts'
import {
  shareAssignmentRecord,
  shareAssignmentTombstone,
  shareEpochRecord,
  shareEpochTombstone,
  shareMemberRecord,
  shareMemberTombstone,
  sharePartitionsRecord,
  sharePartitionsTombstone,
  shareTargetEpochRecord,
  shareTargetEpochTombstone,
  shareTargetRecord,
  shareTargetTombstone,
} from './share-group-records.ts'

/** Every change to a share group goes through here: into the state and into the log, as one. */

export function recordShareMember(
  group: ShareGroup,
  member: ShareGroupMember,
  { turn }: GroupStep,
): void {
  group.putMember(member)
  turn.append(shareMemberRecord(group.groupId, member))
}

export function recordShareAssignment(
  group: ShareGroup,
  member: ShareGroupMember,
  { turn }: GroupStep,
): void {
  group.putMember(member)
  turn.append(shareAssignmentRecord(group.groupId, member))
}

export function recordShareEpoch(
  group: ShareGroup,
  epoch: number,
  metadataHash: bigint,
  { turn }: GroupStep,
): void {
  group.groupEpoch = epoch
  group.metadataHash = metadataHash
  turn.append(shareEpochRecord(group.groupId, epoch, metadataHash))
}

export function recordShareTarget(
  group: ShareGroup,
  memberId: string,
  assignment: Assignment,
  { turn }: GroupStep,
): void {
  group.setTarget(memberId, assignment)
  turn.append(shareTargetRecord(group.groupId, memberId, assignment))
}

export function recordShareTargetEpoch(
  group: ShareGroup,
  epoch: number,
  timestampMs: number,
  { turn }: GroupStep,
): void {
  group.assignmentEpoch = epoch
  group.assignmentTimestampMs = timestampMs
  turn.append(shareTargetEpochRecord(group.groupId, epoch, timestampMs))
}

export function recordSharePartitions(
  group: ShareGroup,
  shares: SharePartitions,
  { turn }: GroupStep,
): void {
  group.sharePartitions = shares
  turn.append(sharePartitionsRecord(group.groupId, shares))
}

/** In the order that Kafka's replay insists on. */
export function recordShareMemberGone(
  group: ShareGroup,
  memberId: string,
  { turn }: GroupStep,
): void {
  const { groupId } = group
  group.removeTarget(memberId)
  group.removeMember(memberId)
  turn.append(shareAssignmentTombstone(groupId, memberId))
  turn.append(shareTargetTombstone(groupId, memberId))
  turn.append(shareMemberTombstone(groupId, memberId))
}

/** Tombstones for all records of a group without members; the caller forgets the group. */
export function recordShareGroupGone({ groupId }: ShareGroup, { turn }: GroupStep): void {
  turn.append(shareTargetEpochTombstone(groupId))
  turn.append(sharePartitionsTombstone(groupId))
  turn.append(shareEpochTombstone(groupId))
}
