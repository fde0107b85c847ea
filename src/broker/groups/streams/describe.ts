import { ErrorCode } from '../../../base/error-code.ts'
import { NO_TASK_OFFSETS, type OffsetsByTask, type StreamsGroup } from './streams-group.ts'
import type { StreamsGroupMember } from './streams-group-member.ts'
import type {
  DescribedStreamsGroup,
  DescribedStreamsMember,
  DescribedSubtopology,
  TaskOffset,
} from './streams-group-requests.ts'
import { listOfTasks, type OwnedTasks, type Tasks } from './tasks.ts'

/** The only assignor that there is. */
const ASSIGNOR_NAME = 'sticky'

/** The topology has the counts of its topics once they are all there. */
export function describeStreamsGroup(group: StreamsGroup): DescribedStreamsGroup {
  return {
    groupId: group.groupId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    state: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: ASSIGNOR_NAME,
    topology: describeTopology(group),
    members: [...group.members.values()].map((member) => describeMember(group, member)),
  }
}

function describeTopology({ configured, topology }: StreamsGroup) {
  if (topology === null) return null
  const isReady = configured !== null && configured.problem === null
  const known = isReady ? configured.subtopologies : null
  const subtopologies: ReadonlyMap<string, Omit<DescribedSubtopology, 'subtopologyId'>> = known ??
  topology.subtopologies
  const sorted = [...subtopologies].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    epoch: topology.epoch,
    subtopologies: sorted.map(([subtopologyId, one]) => ({
      subtopologyId,
      sourceTopics: [...one.sourceTopics].sort(),
      repartitionSinkTopics: [...one.repartitionSinkTopics].sort(),
      repartitionSourceTopics: byName(one.repartitionSourceTopics),
      stateChangelogTopics: byName(one.stateChangelogTopics),
    })),
  }
}

function byName<T extends { readonly name: string }>(topics: readonly T[]): T[] {
  return [...topics].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function describeMember(group: StreamsGroup, member: StreamsGroupMember): DescribedStreamsMember {
  const { memberId, clientTags, assigned } = member
  const { offsets, endOffsets } = group.taskOffsets.get(memberId) ?? NO_TASK_OFFSETS
  return {
    memberId,
    memberEpoch: member.memberEpoch,
    instanceId: member.instanceId,
    rackId: member.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    topologyEpoch: member.topologyEpoch,
    processId: member.processId,
    userEndpoint: member.userEndpoint,
    clientTags: [...clientTags].map(([key, value]) => ({ key, value })),
    taskOffsets: listOfOffsets(offsets),
    taskEndOffsets: listOfOffsets(endOffsets),
    assignment: listOfRoles(assigned),
    targetAssignment: listOfRoles(group.target(memberId)),
  }
}

const listOfRoles = ({ active, standby, warmup }: OwnedTasks | Tasks) => ({
  active: listOfTasks(active),
  standby: listOfTasks(standby),
  warmup: listOfTasks(warmup),
})

function listOfOffsets(offsets: OffsetsByTask): TaskOffset[] {
  return listOfTasks(offsets).flatMap(({ subtopologyId, partitions }) =>
    partitions.map((partition) => {
      const offset = offsets.get(subtopologyId)?.get(partition) ?? 0
      return { subtopologyId, partition, offset }
    }),
  )
}
