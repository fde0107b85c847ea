import type { GroupStep } from '../group-step.ts'
import type { StreamsGroup } from './streams-group.ts'
import type { StreamsGroupMember } from './streams-group-member.ts'
import {
  streamsAssignmentRecord,
  streamsAssignmentTombstone,
  streamsGroupRecord,
  streamsGroupTombstone,
  streamsMemberRecord,
  streamsMemberTombstone,
  streamsTargetEpochRecord,
  streamsTargetEpochTombstone,
  streamsTargetRecord,
  streamsTargetTombstone,
  streamsTopologyRecord,
  streamsTopologyTombstone,
} from './streams-group-records.ts'
import type { StreamsTopology } from './streams-topology.ts'
import type { Tasks } from './tasks.ts'

/** Every change to a streams group goes through here: into the state and into the log, as one. */

export function recordStreamsMember(
  group: StreamsGroup,
  member: StreamsGroupMember,
  { turn }: GroupStep,
): void {
  group.putMember(member)
  turn.append(streamsMemberRecord(group.groupId, member))
}

export function recordStreamsAssignment(
  group: StreamsGroup,
  member: StreamsGroupMember,
  { turn }: GroupStep,
): void {
  group.putMember(member)
  turn.append(streamsAssignmentRecord(group.groupId, member))
}

export function recordStreamsTopology(
  group: StreamsGroup,
  topology: StreamsTopology,
  { turn }: GroupStep,
): void {
  group.topology = topology
  turn.append(streamsTopologyRecord(group.groupId, topology))
}

/** What a new group epoch stands for; what is left out stays as it is. */
export type EpochFacts = Partial<
  Pick<StreamsGroup, 'metadataHash' | 'validatedTopologyEpoch' | 'assignmentConfigs'>
>

export function recordNextStreamsEpoch(
  group: StreamsGroup,
  facts: EpochFacts,
  { turn }: GroupStep,
): void {
  group.groupEpoch++
  group.metadataHash = facts.metadataHash ?? group.metadataHash
  group.validatedTopologyEpoch = facts.validatedTopologyEpoch ?? group.validatedTopologyEpoch
  group.assignmentConfigs = facts.assignmentConfigs ?? group.assignmentConfigs
  turn.append(streamsGroupRecord(group))
}

export function recordStreamsTarget(
  group: StreamsGroup,
  memberId: string,
  tasks: Tasks,
  { turn }: GroupStep,
): void {
  group.setTarget(memberId, tasks)
  turn.append(streamsTargetRecord(group.groupId, memberId, tasks))
}

export function recordStreamsTargetEpoch(
  group: StreamsGroup,
  epoch: number,
  timestampMs: number,
  { turn }: GroupStep,
): void {
  group.assignmentEpoch = epoch
  group.assignmentTimestampMs = timestampMs
  turn.append(streamsTargetEpochRecord(group.groupId, epoch, timestampMs))
}

/** In the order that Kafka's replay insists on. */
export function recordStreamsMemberGone(
  group: StreamsGroup,
  memberId: string,
  { turn }: GroupStep,
): void {
  const { groupId } = group
  group.removeTarget(memberId)
  group.removeMember(memberId)
  turn.append(streamsAssignmentTombstone(groupId, memberId))
  turn.append(streamsTargetTombstone(groupId, memberId))
  turn.append(streamsMemberTombstone(groupId, memberId))
}

/** Tombstones for all records of a group without members; the caller forgets the group. */
export function recordStreamsGroupGone({ groupId }: StreamsGroup, { turn }: GroupStep): void {
  turn.append(streamsTargetEpochTombstone(groupId))
  turn.append(streamsGroupTombstone(groupId))
  turn.append(streamsTopologyTombstone(groupId))
}
