import { ErrorCode } from '../../../base/error-code.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import {
  type DescribedStreamsGroup,
  type DescribedTasks,
  describeStreamsError,
} from '../../../broker/groups/streams/streams-group-requests.ts'
import type { TopologyTopic } from '../../../broker/groups/streams/streams-topology.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import { streamsGroupDescribeApi } from '../../../wire/kafka/messages/89-streams-group-describe.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ALL_GROUP_OPERATIONS, NO_OPERATIONS } from './authorized-operations.ts'
import { isStreamsEnabled } from './streams-requests.ts'

export interface StreamsGroupDescribeServices {
  readonly groups: Pick<GroupCoordinator, 'describeStreamsGroup'>
  readonly metadata: MetadataStore
  /** `group.coordinator.rebalance.protocols` */
  readonly protocols: () => readonly string[]
}

/** Whether the answer has a description of the topology (KIP-1331). */
const DESCRIPTION = { NOT_ASKED: 0, NOT_STORED: 1 } as const

/** StreamsGroupDescribe (KIP-1071). */
export function streamsGroupDescribeHandler({
  groups,
  metadata,
  protocols,
}: StreamsGroupDescribeServices): KafkaHandler {
  return defineHandler(streamsGroupDescribeApi, async (request) => {
    const { groupIds, includeAuthorizedOperations, includeTopologyDescription } = request
    const isEnabled = isStreamsEnabled(metadata, protocols)
    const described = await Promise.all(
      groupIds.map((id) =>
        isEnabled
          ? groups.describeStreamsGroup(id)
          : describeStreamsError(id, ErrorCode.UNSUPPORTED_VERSION, null),
      ),
    )
    return {
      throttleTimeMs: 0,
      groups: described.map((group) => {
        const isTold = includeAuthorizedOperations && group.errorCode === ErrorCode.NONE
        const isAsked = includeTopologyDescription && group.errorCode === ErrorCode.NONE
        return {
          ...toWire(group),
          authorizedOperations: isTold ? ALL_GROUP_OPERATIONS : NO_OPERATIONS,
          topologyDescription: null,
          topologyDescriptionStatus: isAsked ? DESCRIPTION.NOT_STORED : DESCRIPTION.NOT_ASKED,
        }
      }),
    }
  })
}

function toWire(group: DescribedStreamsGroup) {
  const { state, topology, members, ...facts } = group
  return {
    ...facts,
    groupState: state,
    topology: topology === null ? null : topologyOf(topology),
    members: members.map(({ assignment, targetAssignment, ...member }) => ({
      ...member,
      clientTags: [...member.clientTags],
      taskOffsets: [...member.taskOffsets],
      taskEndOffsets: [...member.taskEndOffsets],
      assignment: tasksOf(assignment),
      targetAssignment: tasksOf(targetAssignment),
      isClassic: false,
    })),
  }
}

function topologyOf({ epoch, subtopologies }: NonNullable<DescribedStreamsGroup['topology']>) {
  return {
    epoch,
    subtopologies: subtopologies.map((one) => ({
      subtopologyId: one.subtopologyId,
      sourceTopics: [...one.sourceTopics],
      repartitionSinkTopics: [...one.repartitionSinkTopics],
      stateChangelogTopics: one.stateChangelogTopics.map(topicOf),
      repartitionSourceTopics: one.repartitionSourceTopics.map(topicOf),
    })),
  }
}

const topicOf = ({ topicConfigs, ...topic }: TopologyTopic) => ({
  ...topic,
  topicConfigs: [...topicConfigs],
})

function tasksOf({ active, standby, warmup }: DescribedTasks) {
  const listOf = (tasks: DescribedTasks['active']) =>
    tasks.map(({ subtopologyId, partitions }) => ({ subtopologyId, partitions: [...partitions] }))
  return {
    activeTasks: listOf(active),
    standbyTasks: listOf(standby),
    warmupTasks: listOf(warmup),
  }
}
