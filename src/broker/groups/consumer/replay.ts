import type { OffsetsRecord } from '../../../records/internal/offsets-records.ts'
import { type ReplayedGroups, replayedGroup } from '../replayed-group.ts'
import { ConsumerGroup } from './consumer-group.ts'
import {
  type ClassicMemberMetadata,
  type ConsumerGroupMember,
  LEAVE_EPOCH,
  MemberState,
  newMember,
} from './consumer-group-member.ts'
import { NO_PARTITIONS, type PartitionEpochs } from './partition-epochs.ts'

type Named<N extends string> = Extract<OffsetsRecord, { name: N }>
type MemberRecord = Named<'ConsumerGroupMemberMetadata'>
type CurrentAssignmentRecord = Named<'ConsumerGroupCurrentMemberAssignment'>

/** The records that consumer groups are made of. */
export type ConsumerGroupRecord = Extract<OffsetsRecord, { name: `ConsumerGroup${string}` }>

export function isConsumerGroupRecord(record: OffsetsRecord): record is ConsumerGroupRecord {
  return record.name.startsWith('ConsumerGroup')
}

/** Takes back one record. */
export function replayConsumerGroupRecord(
  record: ConsumerGroupRecord,
  groups: ReplayedGroups<ConsumerGroup>,
): void {
  const group = replayedGroup(record, groups, ConsumerGroup)
  if (group === undefined) return
  switch (record.name) {
    case 'ConsumerGroupMetadata':
      if (record.value === null) {
        groups.remove(group.groupId)
        return
      }
      group.groupEpoch = record.value.epoch
      group.metadataHash = record.value.metadataHash
      return
    case 'ConsumerGroupPartitionMetadata':
      group.hasPartitionMetadataRecord = record.value !== null
      return
    case 'ConsumerGroupMemberMetadata':
      replayMember(record, group)
      return
    case 'ConsumerGroupTargetAssignmentMetadata':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? -1
      group.assignmentTimestampMs = record.value?.assignmentTimestamp ?? 0
      return
    case 'ConsumerGroupTargetAssignmentMember':
      replayTarget(record, group)
      return
    case 'ConsumerGroupCurrentMemberAssignment':
      replayCurrentAssignment(record, group)
      return
    case 'ConsumerGroupRegularExpression':
      replayRegex(record, group)
  }
}

function replayMember({ key: { memberId }, value }: MemberRecord, group: ConsumerGroup): void {
  if (value === null) {
    group.removeMember(memberId)
    return
  }
  group.putMember({
    ...(group.members.get(memberId) ?? newMember(memberId)),
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    subscribedTopicNames: [...value.subscribedTopicNames].sort(),
    subscribedTopicRegex: value.subscribedTopicRegex,
    serverAssignor: value.serverAssignor,
    classic: classicOf(value.classicMemberMetadata),
  })
}

/** The bytes of a record are borrowed, so they are copied. */
function classicOf(
  metadata: NonNullable<MemberRecord['value']>['classicMemberMetadata'],
): ClassicMemberMetadata | null {
  if (metadata === null) return null
  return {
    sessionTimeoutMs: metadata.sessionTimeoutMs,
    supportedProtocols: metadata.supportedProtocols.map(({ name, metadata: bytes }) => ({
      name,
      metadata: Buffer.from(bytes),
    })),
  }
}

function replayTarget(
  { key: { memberId }, value }: Named<'ConsumerGroupTargetAssignmentMember'>,
  group: ConsumerGroup,
): void {
  if (value === null) {
    group.removeTarget(memberId)
    return
  }
  group.setTarget(
    memberId,
    new Map(value.topicPartitions.map(({ topicId, partitions }) => [topicId, new Set(partitions)])),
  )
}

function replayCurrentAssignment(
  { key: { memberId }, value }: CurrentAssignmentRecord,
  group: ConsumerGroup,
): void {
  const known = group.members.get(memberId)
  if (value === null) {
    if (known !== undefined) group.putMember(withoutAssignment(known))
    return
  }
  const { memberEpoch, previousMemberEpoch, state } = value
  group.putMember({
    ...(known ?? newMember(memberId)),
    memberEpoch,
    previousMemberEpoch,
    state: stateOf(state),
    assigned: epochsOf(value.assignedPartitions, memberEpoch),
    pendingRevocation: epochsOf(value.partitionsPendingRevocation, memberEpoch),
  })
}

const withoutAssignment = (member: ConsumerGroupMember): ConsumerGroupMember => ({
  ...member,
  memberEpoch: LEAVE_EPOCH,
  previousMemberEpoch: LEAVE_EPOCH,
  assigned: NO_PARTITIONS,
  pendingRevocation: NO_PARTITIONS,
})

function stateOf(state: number): MemberState {
  const known = Object.values(MemberState).find((one) => one === state)
  return known ?? MemberState.UNKNOWN
}

type TopicPartitions = NonNullable<CurrentAssignmentRecord['value']>['assignedPartitions']

/** Kafka before 4.4 wrote no epochs of partitions: then they are the member's. */
function epochsOf(topics: TopicPartitions, memberEpoch: number): PartitionEpochs {
  const defaultEpoch = Math.max(memberEpoch, 0)
  return new Map(
    topics.map(({ topicId, partitions, assignmentEpochs }) => {
      const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : null
      return [
        topicId,
        new Map(partitions.map((one, index) => [one, epochs?.[index] ?? defaultEpoch])),
      ]
    }),
  )
}

function replayRegex(
  { key: { regularExpression }, value }: Named<'ConsumerGroupRegularExpression'>,
  group: ConsumerGroup,
): void {
  if (value === null) {
    group.removeRegex(regularExpression)
    return
  }
  const { topics, version, timestamp: timestampMs } = value
  group.putRegex(regularExpression, { topics: new Set(topics), version, timestampMs })
}
