import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../records/internal/coordinator-record.ts'
import {
  streamsGroupCurrentMemberAssignment,
  streamsGroupMemberMetadata,
  streamsGroupMetadata,
  streamsGroupTargetAssignmentMember,
  streamsGroupTargetAssignmentMetadata,
  streamsGroupTopology,
} from '../../../records/internal/streams-group-records.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'
import type { StreamsGroup } from './streams-group.ts'
import type { StreamsGroupMember } from './streams-group-member.ts'
import type { StreamsTopology, Subtopology, TopologyTopic } from './streams-topology.ts'
import { listOfTasks, type OwnedTasks, type TaskEpochs, type TaskIds, type Tasks } from './tasks.ts'

/** The only version there is. */
const VERSION = 0

/** What a group is at: its epoch, and what the epoch stands for. */
export function streamsGroupRecord(group: StreamsGroup): EncodedRecord {
  const { groupId, groupEpoch, metadataHash, validatedTopologyEpoch, assignmentConfigs } = group
  return {
    key: encodeCoordinatorKey(streamsGroupMetadata, { groupId }),
    value: encodeCoordinatorValue(streamsGroupMetadata, VERSION, {
      epoch: groupEpoch,
      metadataHash,
      validatedTopologyEpoch,
      lastAssignmentConfigs: [...assignmentConfigs].map(([key, value]) => ({ key, value })),
      storedDescriptionTopologyEpoch: group.storedDescriptionEpoch,
      failedDescriptionTopologyEpoch: group.failedDescriptionEpoch,
    }),
  }
}

export function streamsGroupTombstone(groupId: string): EncodedRecord {
  return { key: encodeCoordinatorKey(streamsGroupMetadata, { groupId }), value: null }
}

export function streamsMemberRecord(groupId: string, member: StreamsGroupMember): EncodedRecord {
  const { memberId, userEndpoint, clientTags } = member
  return {
    key: encodeCoordinatorKey(streamsGroupMemberMetadata, { groupId, memberId }),
    value: encodeCoordinatorValue(streamsGroupMemberMetadata, VERSION, {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      topologyEpoch: member.topologyEpoch,
      processId: member.processId,
      userEndpoint: userEndpoint === null ? null : { ...userEndpoint },
      clientTags: [...clientTags].map(([key, value]) => ({ key, value })),
    }),
  }
}

export function streamsMemberTombstone(groupId: string, memberId: string): EncodedRecord {
  return {
    key: encodeCoordinatorKey(streamsGroupMemberMetadata, { groupId, memberId }),
    value: null,
  }
}

export function streamsTargetRecord(
  groupId: string,
  memberId: string,
  { active, standby, warmup }: Tasks,
): EncodedRecord {
  return {
    key: encodeCoordinatorKey(streamsGroupTargetAssignmentMember, { groupId, memberId }),
    value: encodeCoordinatorValue(streamsGroupTargetAssignmentMember, VERSION, {
      activeTasks: listOfTasks(active),
      standbyTasks: listOfTasks(standby),
      warmupTasks: listOfTasks(warmup),
    }),
  }
}

export function streamsTargetTombstone(groupId: string, memberId: string): EncodedRecord {
  const key = encodeCoordinatorKey(streamsGroupTargetAssignmentMember, { groupId, memberId })
  return { key, value: null }
}

export function streamsTargetEpochRecord(
  groupId: string,
  assignmentEpoch: number,
  assignmentTimestamp: number,
): EncodedRecord {
  return {
    key: encodeCoordinatorKey(streamsGroupTargetAssignmentMetadata, { groupId }),
    value: encodeCoordinatorValue(streamsGroupTargetAssignmentMetadata, VERSION, {
      assignmentEpoch,
      assignmentTimestamp,
    }),
  }
}

export function streamsTargetEpochTombstone(groupId: string): EncodedRecord {
  const key = encodeCoordinatorKey(streamsGroupTargetAssignmentMetadata, { groupId })
  return { key, value: null }
}

export function streamsAssignmentRecord(
  groupId: string,
  member: StreamsGroupMember,
): EncodedRecord {
  const { memberId, assigned, pendingRevocation } = member
  return {
    key: encodeCoordinatorKey(streamsGroupCurrentMemberAssignment, { groupId, memberId }),
    value: encodeCoordinatorValue(streamsGroupCurrentMemberAssignment, VERSION, {
      memberEpoch: member.memberEpoch,
      previousMemberEpoch: member.previousMemberEpoch,
      state: member.state,
      ...ownedTasks(assigned),
      ...pendingTasks(pendingRevocation),
    }),
  }
}

function ownedTasks({ active, standby, warmup }: OwnedTasks) {
  return {
    activeTasks: listWithEpochs(active),
    standbyTasks: listWithoutEpochs(standby),
    warmupTasks: listWithoutEpochs(warmup),
  }
}

function pendingTasks({ active, standby, warmup }: OwnedTasks) {
  return {
    activeTasksPendingRevocation: listWithEpochs(active),
    standbyTasksPendingRevocation: listWithoutEpochs(standby),
    warmupTasksPendingRevocation: listWithoutEpochs(warmup),
  }
}

const listWithoutEpochs = (tasks: TaskIds) =>
  listOfTasks(tasks).map((list) => ({ ...list, assignmentEpochs: null }))

const listWithEpochs = (tasks: TaskEpochs) =>
  listOfTasks(tasks).map(({ subtopologyId, partitions }) => {
    const epochs = tasks.get(subtopologyId)
    const assignmentEpochs = partitions.map((partition) => epochs?.get(partition) ?? 0)
    return { subtopologyId, partitions, assignmentEpochs }
  })

export function streamsAssignmentTombstone(groupId: string, memberId: string): EncodedRecord {
  const key = encodeCoordinatorKey(streamsGroupCurrentMemberAssignment, { groupId, memberId })
  return { key, value: null }
}

export function streamsTopologyRecord(groupId: string, topology: StreamsTopology): EncodedRecord {
  const { epoch, subtopologies } = topology
  return {
    key: encodeCoordinatorKey(streamsGroupTopology, { groupId }),
    value: encodeCoordinatorValue(streamsGroupTopology, VERSION, {
      epoch,
      subtopologies: [...subtopologies.values()].map(subtopologyOf),
    }),
  }
}

function subtopologyOf(subtopology: Subtopology) {
  return {
    subtopologyId: subtopology.subtopologyId,
    sourceTopics: [...subtopology.sourceTopics],
    sourceTopicRegex: [...subtopology.sourceTopicRegex],
    stateChangelogTopics: subtopology.stateChangelogTopics.map(topicOf),
    repartitionSinkTopics: [...subtopology.repartitionSinkTopics],
    repartitionSourceTopics: subtopology.repartitionSourceTopics.map(topicOf),
    copartitionGroups: subtopology.copartitionGroups.map((group) => ({
      sourceTopics: [...group.sourceTopics],
      sourceTopicRegex: [...group.sourceTopicRegex],
      repartitionSourceTopics: [...group.repartitionSourceTopics],
    })),
  }
}

const topicOf = ({ topicConfigs, ...topic }: TopologyTopic) => ({
  ...topic,
  topicConfigs: topicConfigs.map((config) => ({ ...config })),
})

export function streamsTopologyTombstone(groupId: string): EncodedRecord {
  return { key: encodeCoordinatorKey(streamsGroupTopology, { groupId }), value: null }
}
