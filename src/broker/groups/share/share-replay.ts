import type { OffsetsRecord } from '../../../records/internal/offsets-records.ts'
import { NO_ASSIGNMENT } from '../assignors/assignment.ts'
import { LEAVE_EPOCH } from '../consumer/consumer-group-member.ts'
import { type ReplayedGroups, replayedGroup } from '../replayed-group.ts'
import { ShareGroup, type ShareTopic } from './share-group.ts'
import { newShareMember } from './share-group-member.ts'

/** The records that share groups are made of. */
export type ShareGroupRecord = Extract<OffsetsRecord, { name: `ShareGroup${string}` }>

export function isShareGroupRecord(record: OffsetsRecord): record is ShareGroupRecord {
  return record.name.startsWith('ShareGroup')
}

/** Takes back one record. */
export function replayShareGroupRecord(
  record: ShareGroupRecord,
  groups: ReplayedGroups<ShareGroup>,
): void {
  const group = replayedGroup(record, groups, ShareGroup)
  if (group === undefined) return
  switch (record.name) {
    case 'ShareGroupMetadata':
      if (record.value === null) {
        groups.remove(group.groupId)
        return
      }
      group.groupEpoch = record.value.epoch
      group.metadataHash = record.value.metadataHash
      return
    case 'ShareGroupMemberMetadata':
      replayMember(record, group)
      return
    case 'ShareGroupTargetAssignmentMetadata':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? -1
      group.assignmentTimestampMs = record.value?.assignmentTimestamp ?? 0
      return
    case 'ShareGroupTargetAssignmentMember':
      if (record.value === null) group.removeTarget(record.key.memberId)
      else group.setTarget(record.key.memberId, assignmentOf(record.value.topicPartitions))
      return
    case 'ShareGroupCurrentMemberAssignment':
      replayAssignment(record, group)
      return
    case 'ShareGroupStatePartitionMetadata':
      replaySharePartitions(record, group)
  }
}

type Named<N extends string> = Extract<ShareGroupRecord, { name: N }>

function replayMember(
  { key: { memberId }, value }: Named<'ShareGroupMemberMetadata'>,
  group: ShareGroup,
): void {
  if (value === null) {
    group.removeMember(memberId)
    return
  }
  group.putMember({
    ...(group.members.get(memberId) ?? newShareMember(memberId)),
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    subscribedTopicNames: [...value.subscribedTopicNames].sort(),
  })
}

function replayAssignment(
  { key: { memberId }, value }: Named<'ShareGroupCurrentMemberAssignment'>,
  group: ShareGroup,
): void {
  const known = group.members.get(memberId)
  if (value === null) {
    if (known === undefined) return
    const epochs = { memberEpoch: LEAVE_EPOCH, previousMemberEpoch: LEAVE_EPOCH }
    group.putMember({ ...known, ...epochs, assigned: NO_ASSIGNMENT })
    return
  }
  group.putMember({
    ...(known ?? newShareMember(memberId)),
    memberEpoch: value.memberEpoch,
    previousMemberEpoch: value.previousMemberEpoch,
    assigned: assignmentOf(value.assignedPartitions),
  })
}

function replaySharePartitions(
  { value }: Named<'ShareGroupStatePartitionMetadata'>,
  group: ShareGroup,
): void {
  group.sharePartitions =
    value === null
      ? null
      : {
          initializing: topicsOf(value.initializingTopics),
          initialized: topicsOf(value.initializedTopics),
          deleting: new Map(
            value.deletingTopics.map(({ topicId, topicName }) => [topicId, topicName]),
          ),
        }
}

type TopicPartitions = readonly {
  readonly topicId: string
  readonly partitions: readonly number[]
}[]

function assignmentOf(topics: TopicPartitions): ReadonlyMap<string, ReadonlySet<number>> {
  return new Map(topics.map(({ topicId, partitions }) => [topicId, new Set(partitions)]))
}

/** What was being made when the broker stopped is asked for again with the next heartbeat. */
const LONG_AGO_MS = 0

function topicsOf(
  topics: readonly {
    readonly topicId: string
    readonly topicName: string
    readonly partitions: readonly number[]
  }[],
): ReadonlyMap<string, ShareTopic> {
  return new Map(
    topics.map(({ topicId, topicName, partitions }) => [
      topicId,
      { name: topicName, partitions: new Set(partitions), timestampMs: LONG_AGO_MS },
    ]),
  )
}
