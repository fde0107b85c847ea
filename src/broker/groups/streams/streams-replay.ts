import type { OffsetsRecord } from '../../../records/internal/offsets-records.ts'
import { LEAVE_EPOCH } from '../consumer/consumer-group-member.ts'
import { type ReplayedGroups, replayedGroup } from '../replayed-group.ts'
import { NO_TOPOLOGY_EPOCH, StreamsGroup } from './streams-group.ts'
import {
  newStreamsMember,
  type StreamsGroupMember,
  StreamsMemberState,
} from './streams-group-member.ts'
import { topologyOf } from './streams-topology.ts'
import { NO_OWNED_TASKS, type OwnedTasks, type TaskEpochs, tasksOf } from './tasks.ts'

/** The records that streams groups are made of. */
export type StreamsGroupRecord = Extract<OffsetsRecord, { name: `StreamsGroup${string}` }>

export function isStreamsGroupRecord(record: OffsetsRecord): record is StreamsGroupRecord {
  return record.name.startsWith('StreamsGroup')
}

type Named<N extends string> = Extract<StreamsGroupRecord, { name: N }>

/** Takes back one record. */
export function replayStreamsGroupRecord(
  record: StreamsGroupRecord,
  groups: ReplayedGroups<StreamsGroup>,
): void {
  const group = replayedGroup(record, groups, StreamsGroup)
  if (group === undefined) return
  switch (record.name) {
    case 'StreamsGroupMetadata':
      if (record.value === null) groups.remove(group.groupId)
      else replayGroup(record, group)
      return
    case 'StreamsGroupTopology': {
      const { value } = record
      group.topology = value === null ? null : topologyOf(value.epoch, value.subtopologies)
      group.configured = null
      return
    }
    case 'StreamsGroupMemberMetadata':
      replayMember(record, group)
      return
    case 'StreamsGroupTargetAssignmentMetadata':
      group.assignmentEpoch = record.value?.assignmentEpoch ?? -1
      group.assignmentTimestampMs = record.value?.assignmentTimestamp ?? 0
      return
    case 'StreamsGroupTargetAssignmentMember':
      replayTarget(record, group)
      return
    case 'StreamsGroupCurrentMemberAssignment':
      replayAssignment(record, group)
  }
}

function replayGroup({ value }: Named<'StreamsGroupMetadata'>, group: StreamsGroup): void {
  group.groupEpoch = value?.epoch ?? group.groupEpoch
  group.metadataHash = value?.metadataHash ?? 0n
  group.validatedTopologyEpoch = value?.validatedTopologyEpoch ?? NO_TOPOLOGY_EPOCH
  const configs = value?.lastAssignmentConfigs ?? []
  group.assignmentConfigs = new Map(configs.map((config) => [config.key, config.value]))
  group.storedDescriptionEpoch = value?.storedDescriptionTopologyEpoch ?? NO_TOPOLOGY_EPOCH
  group.failedDescriptionEpoch = value?.failedDescriptionTopologyEpoch ?? NO_TOPOLOGY_EPOCH
}

function replayMember(
  { key: { memberId }, value }: Named<'StreamsGroupMemberMetadata'>,
  group: StreamsGroup,
): void {
  if (value === null) {
    group.removeMember(memberId)
    return
  }
  const { rebalanceTimeoutMs, topologyEpoch, processId, userEndpoint, clientTags } = value
  group.putMember({
    ...(group.members.get(memberId) ?? newStreamsMember(memberId)),
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    ...{ rebalanceTimeoutMs, topologyEpoch, processId, userEndpoint },
    clientTags: new Map(clientTags.map((tag) => [tag.key, tag.value])),
  })
}

function replayTarget(
  { key: { memberId }, value }: Named<'StreamsGroupTargetAssignmentMember'>,
  group: StreamsGroup,
): void {
  if (value === null) {
    group.removeTarget(memberId)
    return
  }
  group.setTarget(memberId, {
    active: tasksOf(value.activeTasks),
    standby: tasksOf(value.standbyTasks),
    warmup: tasksOf(value.warmupTasks),
  })
}

function replayAssignment(
  { key: { memberId }, value }: Named<'StreamsGroupCurrentMemberAssignment'>,
  group: StreamsGroup,
): void {
  const known = group.members.get(memberId)
  if (value === null) {
    if (known !== undefined) group.putMember(atLeaveEpoch(known))
    return
  }
  const { memberEpoch, previousMemberEpoch } = value
  group.putMember({
    ...(known ?? newStreamsMember(memberId)),
    ...{ memberEpoch, previousMemberEpoch, state: stateOf(value.state) },
    assigned: ownedOf(value.activeTasks, value.standbyTasks, value.warmupTasks, memberEpoch),
    pendingRevocation: ownedOf(
      value.activeTasksPendingRevocation,
      value.standbyTasksPendingRevocation,
      value.warmupTasksPendingRevocation,
      memberEpoch,
    ),
  })
}

function atLeaveEpoch(member: StreamsGroupMember): StreamsGroupMember {
  return {
    ...member,
    memberEpoch: LEAVE_EPOCH,
    previousMemberEpoch: LEAVE_EPOCH,
    assigned: NO_OWNED_TASKS,
    pendingRevocation: NO_OWNED_TASKS,
  }
}

const STATES: ReadonlySet<number> = new Set(Object.values(StreamsMemberState))

function stateOf(value: number): StreamsMemberState {
  return STATES.has(value) ? (value as StreamsMemberState) : StreamsMemberState.UNKNOWN
}

interface RecordedTasks {
  readonly subtopologyId: string
  readonly partitions: readonly number[]
  readonly assignmentEpochs: readonly number[] | null
}

function ownedOf(
  active: readonly RecordedTasks[],
  standby: readonly RecordedTasks[],
  warmup: readonly RecordedTasks[],
  memberEpoch: number,
): OwnedTasks {
  return {
    active: epochsOf(active, memberEpoch),
    standby: tasksOf(standby),
    warmup: tasksOf(warmup),
  }
}

/** Kafka 4.2 wrote no epochs: then a task counts as got at the epoch of the member. */
function epochsOf(tasks: readonly RecordedTasks[], memberEpoch: number): TaskEpochs {
  return new Map(
    tasks.map(({ subtopologyId, partitions, assignmentEpochs }) => [
      subtopologyId,
      new Map(
        partitions.map((partition, index) => [partition, assignmentEpochs?.[index] ?? memberEpoch]),
      ),
    ]),
  )
}
