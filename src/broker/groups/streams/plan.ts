import { assert } from '../../../base/assert.ts'
import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import { invalidRequest } from '../member-checks.ts'
import { type ConfiguredTopology, configureTopology } from './configured-topology.ts'
import { checkStreamsTasks } from './request-checks.ts'
import type { EpochFacts } from './streams-changes.ts'
import {
  type MemberTaskOffsets,
  NO_TASK_OFFSETS,
  NO_TOPOLOGY_EPOCH,
  type OffsetsByTask,
  type StreamsGroup,
} from './streams-group.ts'
import {
  isSameMetadata,
  isSamePlacement,
  newStreamsMember,
  type StreamsGroupMember,
} from './streams-group-member.ts'
import type { StreamsHeartbeatRequest, TaskOffset } from './streams-group-requests.ts'
import { StatusCode, type StreamsStatus } from './streams-status.ts'
import type { StreamsStep } from './streams-step.ts'
import {
  isSameTopology,
  requiredTopics,
  type StreamsTopology,
  topologyOf,
} from './streams-topology.ts'
import { assignmentConfigsOf, isSameConfigs } from './target-assignment.ts'

/** What a heartbeat changes, before anything is changed. */
export interface StreamsPlan {
  /** The member as it was, under the id that it has now. */
  readonly old: StreamsGroupMember
  readonly updated: StreamsGroupMember
  /** The static member that `old` takes the place of. */
  readonly replaced: StreamsGroupMember | null
  readonly hasNewMetadata: boolean
  readonly topology: StreamsTopology
  readonly staleTopology: StreamsStatus | null
  readonly configured: ConfiguredTopology
  /** null: the member did not report any. */
  readonly taskOffsets: MemberTaskOffsets | null
  /** The group needs another assignment. */
  readonly mustBump: boolean
  readonly epochFacts: EpochFacts
}

/**
 * @param known the member that sends it, or the static member that it takes the place of
 * @throws BrokerError INVALID_REQUEST, STREAMS_INVALID_TOPOLOGY or UNKNOWN_SERVER_ERROR
 */
export function planStreamsHeartbeat(
  group: StreamsGroup,
  known: StreamsGroupMember | undefined,
  request: StreamsHeartbeatRequest,
  step: StreamsStep,
): StreamsPlan {
  const { memberId, memberEpoch, instanceId } = request
  const isBack = memberEpoch === 0 && instanceId !== null && known?.instanceId === instanceId
  const old = isBack
    ? { ...known, memberId, memberEpoch: 0, previousMemberEpoch: 0 }
    : (known ?? newStreamsMember(memberId))
  const updated = withRequest(old, request)
  const topology = topologyFor(group, request)
  const { configured, metadataHash } = lookAtTopics(group, topology, step)
  if (configured.problem === null) checkStreamsTasks(configured, request)
  const validatedTopologyEpoch = configured.problem === null ? topology.epoch : NO_TOPOLOGY_EPOCH
  const assignmentConfigs = assignmentConfigsOf(group.groupId, step.config)
  const hasNewMetadata = known === undefined || !isSameMetadata(old, updated)
  const mustBump =
    (hasNewMetadata && (instanceId === null || !isSamePlacement(old, updated))) ||
    metadataHash !== group.metadataHash ||
    validatedTopologyEpoch !== group.validatedTopologyEpoch ||
    !isSameConfigs(assignmentConfigs, group.assignmentConfigs)
  return {
    old,
    updated,
    replaced: isBack ? known : null,
    hasNewMetadata,
    topology,
    staleTopology: staleTopologyOf(group, updated),
    configured,
    taskOffsets: taskOffsetsOf(group, request),
    mustBump,
    epochFacts: { metadataHash, validatedTopologyEpoch, assignmentConfigs },
  }
}

/** What the request does not say stays; who joins without an endpoint has none. */
function withRequest(
  old: StreamsGroupMember,
  request: StreamsHeartbeatRequest,
): StreamsGroupMember {
  const { memberEpoch, rebalanceTimeoutMs, userEndpoint, clientTags } = request
  return {
    ...old,
    instanceId: request.instanceId ?? old.instanceId,
    rackId: request.rackId ?? old.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? old.rebalanceTimeoutMs : rebalanceTimeoutMs,
    topologyEpoch: request.topology?.epoch ?? old.topologyEpoch,
    processId: request.processId ?? old.processId,
    userEndpoint: memberEpoch === 0 ? userEndpoint : (userEndpoint ?? old.userEndpoint),
    clientTags:
      clientTags === null
        ? old.clientTags
        : new Map(clientTags.map(({ key, value }) => [key, value])),
    clientId: request.client.clientId,
    clientHost: request.client.clientHost,
  }
}

/** The first topology of a group stays; a member with an older one may be in, and is told. */
function topologyFor(
  { topology: known }: StreamsGroup,
  { topology }: StreamsHeartbeatRequest,
): StreamsTopology {
  if (topology === null) {
    if (known !== null) return known
    throw new BrokerError(ErrorCode.UNKNOWN_SERVER_ERROR, 'The group has no topology.')
  }
  const told = topologyOf(topology.epoch, topology.subtopologies)
  if (known === null) return told
  if (known.epoch > told.epoch || isSameTopology(known, told)) return known
  throw invalidRequest('Topology updates are not supported yet.')
}

function staleTopologyOf(
  { topology }: StreamsGroup,
  { topologyEpoch }: StreamsGroupMember,
): StreamsStatus | null {
  if (topology === null || topologyEpoch >= topology.epoch) return null
  return {
    statusCode: StatusCode.STALE_TOPOLOGY,
    statusDetail:
      `The member's topology epoch ${topologyEpoch} is behind the group's topology epoch ` +
      `${topology.epoch}.`,
  }
}

/** Holds the topology against the topics again, if they may have changed. */
function lookAtTopics(
  group: StreamsGroup,
  topology: StreamsTopology,
  { turn, topics, hashes, config }: StreamsStep,
): { readonly configured: ConfiguredTopology; readonly metadataHash: bigint } {
  const isFresh = group.topology !== null && turn.nowMs < group.metadataRefreshDeadlineMs
  if (isFresh && group.configured !== null) {
    return { configured: group.configured, metadataHash: group.metadataHash }
  }
  const metadataHash = hashes.groupHash(requiredTopics(topology), topics.topics, config.rack)
  const configured = configureTopology(topology, topics.topics)
  assert(configured.epoch === topology.epoch, 'a topology is configured as it is')
  return { configured, metadataHash }
}

function taskOffsetsOf(
  group: StreamsGroup,
  { memberId, taskOffsets, taskEndOffsets }: StreamsHeartbeatRequest,
): MemberTaskOffsets | null {
  if (taskOffsets === null && taskEndOffsets === null) return null
  const { offsets, endOffsets } = group.taskOffsets.get(memberId) ?? NO_TASK_OFFSETS
  return {
    offsets: taskOffsets === null ? offsets : offsetsOf(taskOffsets),
    endOffsets: taskEndOffsets === null ? endOffsets : offsetsOf(taskEndOffsets),
  }
}

/** @throws BrokerError INVALID_REQUEST for a task that is there twice */
function offsetsOf(list: readonly TaskOffset[]): OffsetsByTask {
  const offsets = new Map<string, Map<number, number>>()
  for (const { subtopologyId, partition, offset } of list) {
    const known = offsets.get(subtopologyId) ?? new Map<number, number>()
    if (known.has(partition)) {
      throw invalidRequest(
        `Task offsets contain a duplicate entry for subtopology ${subtopologyId} and partition ` +
          `${partition}.`,
      )
    }
    offsets.set(subtopologyId, known.set(partition, offset))
  }
  return offsets
}
