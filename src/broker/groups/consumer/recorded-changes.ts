import type { Assignment } from '../assignors/assignment.ts'
import type { GroupStep } from '../group-step.ts'
import type { ConsumerGroup, ResolvedRegex } from './consumer-group.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import {
  currentAssignmentRecord,
  currentAssignmentTombstone,
  groupEpochRecord,
  groupEpochTombstone,
  memberMetadataRecord,
  memberMetadataTombstone,
  partitionMetadataTombstone,
  regexRecord,
  regexTombstone,
  targetMetadataRecord,
  targetMetadataTombstone,
  targetRecord,
  targetTombstone,
} from './consumer-group-records.ts'

/** Every change to a consumer group goes through here: into the state and into the log, as one. */

export function recordMember(
  group: ConsumerGroup,
  member: ConsumerGroupMember,
  { turn }: GroupStep,
): void {
  group.putMember(member)
  turn.append(memberMetadataRecord(group.groupId, member))
}

export function recordCurrentAssignment(
  group: ConsumerGroup,
  member: ConsumerGroupMember,
  { turn }: GroupStep,
): void {
  group.putMember(member)
  turn.append(currentAssignmentRecord(group.groupId, member))
}

export function recordEpoch(
  group: ConsumerGroup,
  epoch: number,
  metadataHash: bigint,
  { turn }: GroupStep,
): void {
  group.groupEpoch = epoch
  group.metadataHash = metadataHash
  turn.append(groupEpochRecord(group.groupId, epoch, metadataHash))
}

export function recordTarget(
  group: ConsumerGroup,
  memberId: string,
  assignment: Assignment,
  { turn }: GroupStep,
): void {
  group.setTarget(memberId, assignment)
  turn.append(targetRecord(group.groupId, memberId, assignment))
}

export function recordTargetEpoch(
  group: ConsumerGroup,
  epoch: number,
  timestampMs: number,
  { turn }: GroupStep,
): void {
  group.assignmentEpoch = epoch
  group.assignmentTimestampMs = timestampMs
  turn.append(targetMetadataRecord(group.groupId, epoch, timestampMs))
}

export function recordRegex(
  group: ConsumerGroup,
  regex: string,
  resolved: ResolvedRegex,
  { turn }: GroupStep,
): void {
  group.putRegex(regex, resolved)
  turn.append(regexRecord(group.groupId, regex, resolved))
}

export function recordRegexGone(group: ConsumerGroup, regex: string, { turn }: GroupStep): void {
  group.removeRegex(regex)
  turn.append(regexTombstone(group.groupId, regex))
}

export function recordPartitionMetadataGone(group: ConsumerGroup, { turn }: GroupStep): void {
  group.hasPartitionMetadataRecord = false
  turn.append(partitionMetadataTombstone(group.groupId))
}

/** In the order that Kafka's replay insists on. */
export function recordMemberGone(
  group: ConsumerGroup,
  memberId: string,
  { turn }: GroupStep,
): void {
  const { groupId } = group
  group.removeTarget(memberId)
  group.removeMember(memberId)
  turn.append(currentAssignmentTombstone(groupId, memberId))
  turn.append(targetTombstone(groupId, memberId))
  turn.append(memberMetadataTombstone(groupId, memberId))
}

/** Tombstones for all records of a group; the caller forgets the group. */
export function recordGroupGone(group: ConsumerGroup, { turn }: GroupStep): void {
  const { groupId } = group
  const memberIds = [...group.members.keys()]
  for (const memberId of memberIds) turn.append(currentAssignmentTombstone(groupId, memberId))
  for (const memberId of memberIds) turn.append(targetTombstone(groupId, memberId))
  turn.append(targetMetadataTombstone(groupId))
  for (const memberId of memberIds) turn.append(memberMetadataTombstone(groupId, memberId))
  for (const regex of group.regexes.keys()) turn.append(regexTombstone(groupId, regex))
  turn.append(partitionMetadataTombstone(groupId))
  turn.append(groupEpochTombstone(groupId))
}
