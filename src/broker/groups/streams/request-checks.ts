import { LEAVE_STATIC_EPOCH } from '../consumer/consumer-group-member.ts'
import {
  fencedEpoch,
  invalidRequest,
  refuseBlank,
  staticMember,
  unknownMember,
  unreleasedInstance,
} from '../member-checks.ts'
import type { ConfiguredTopology } from './configured-topology.ts'
import { invalidTopology } from './partition-counts.ts'
import type { StreamsGroup } from './streams-group.ts'
import type { StreamsGroupMember } from './streams-group-member.ts'
import type { StreamsHeartbeatRequest } from './streams-group-requests.ts'
import { isSubsetOf } from './tasks.ts'

/**
 * What is wrong with a request whatever the group is.
 * @throws BrokerError INVALID_REQUEST or STREAMS_INVALID_TOPOLOGY
 */
export function checkStreamsRequest(request: StreamsHeartbeatRequest): void {
  const { memberEpoch, topology } = request
  const subtopologies = topology?.subtopologies ?? []
  if (subtopologies.some(({ sourceTopicRegex }) => sourceTopicRegex.length > 0)) {
    throw invalidRequest('Regular expressions for source topics are not supported yet.')
  }
  refuseBlank(request.memberId, 'MemberId')
  refuseBlank(request.groupId, 'GroupId')
  refuseBlank(request.instanceId, 'InstanceId')
  refuseBlank(request.rackId, 'RackId')
  if (memberEpoch === 0) checkJoin(request)
  else if (memberEpoch === LEAVE_STATIC_EPOCH && request.instanceId === null) {
    throw invalidRequest("InstanceId can't be null.")
  } else if (memberEpoch < LEAVE_STATIC_EPOCH) {
    throw invalidRequest(`MemberEpoch is ${memberEpoch}, but must be greater than or equal to -2.`)
  }
  const owned = [request.activeTasks, request.standbyTasks, request.warmupTasks]
  if (owned.some((tasks) => tasks !== null) && owned.some((tasks) => tasks === null)) {
    throw invalidRequest('If one task-type is non-null, all must be non-null.')
  }
  if (memberEpoch !== 0 && topology !== null) {
    throw invalidRequest('Topology can only be provided when (re-)joining.')
  }
}

function checkJoin(request: StreamsHeartbeatRequest): void {
  const { activeTasks, standbyTasks, warmupTasks, topology } = request
  if (request.rebalanceTimeoutMs === -1) {
    throw invalidRequest('RebalanceTimeoutMs must be provided in first request.')
  }
  const owned = { ActiveTasks: activeTasks, StandbyTasks: standbyTasks, WarmupTasks: warmupTasks }
  for (const [name, tasks] of Object.entries(owned)) {
    if (tasks?.length !== 0) throw invalidRequest(`${name} must be empty when (re-)joining.`)
  }
  if (topology === null) throw invalidRequest('Topology must be non-null when (re-)joining.')
  checkTopology(topology)
}

/** What no topology may have; what its topics have to be like is seen when they are looked at. */
function checkTopology({
  epoch,
  subtopologies,
}: NonNullable<StreamsHeartbeatRequest['topology']>): void {
  for (const { stateChangelogTopics } of subtopologies) {
    for (const { name, partitions } of stateChangelogTopics) {
      if (partitions === 0) continue
      throw invalidTopology(
        `Changelog topic ${name} must have an undefined partition count, but it is set to ` +
          `${partitions}.`,
      )
    }
  }
  if (epoch < 0) throw invalidTopology(`Topology epoch is ${epoch}, but must not be negative.`)
  const ids = new Set<string>()
  for (const { subtopologyId } of subtopologies) {
    if (ids.has(subtopologyId)) {
      throw invalidTopology(`Subtopology ${subtopologyId} is there more than once.`)
    }
    ids.add(subtopologyId)
  }
}

/**
 * The member that sends a heartbeat, undefined when it is new. An instance id that joins again may
 * come with another member id than the one it has: then the old one is given back.
 * @throws BrokerError UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID or
 *   UNRELEASED_INSTANCE_ID
 */
export function checkStreamsMember(
  group: StreamsGroup,
  request: StreamsHeartbeatRequest,
): StreamsGroupMember | undefined {
  const { memberId, instanceId, memberEpoch } = request
  const isJoin = memberEpoch === 0
  if (instanceId === null) {
    const member = group.members.get(memberId)
    if (member === undefined && !isJoin) throw unknownMember(group.groupId, memberId)
    if (member !== undefined) checkEpoch(group, member, request)
    return member
  }
  if (!isJoin) {
    const member = staticMember(group, memberId, instanceId)
    checkEpoch(group, member, request)
    return member
  }
  const owner = group.staticMember(instanceId)
  if (owner === undefined) return group.members.get(memberId)
  if (owner.memberEpoch === LEAVE_STATIC_EPOCH) return owner
  throw unreleasedInstance(owner, memberId, instanceId)
}

/**
 * The previous epoch is let pass for a member that missed the answer of the present one, which shows
 * in what it has.
 */
function checkEpoch(
  group: StreamsGroup,
  member: StreamsGroupMember,
  { memberEpoch, activeTasks, standbyTasks, warmupTasks }: StreamsHeartbeatRequest,
): void {
  if (memberEpoch === 0 || memberEpoch === member.memberEpoch) return
  const { assigned } = member
  const hasMissedAnswer =
    memberEpoch === member.previousMemberEpoch &&
    isSubsetOf(activeTasks, assigned.active) &&
    isSubsetOf(standbyTasks, assigned.standby) &&
    isSubsetOf(warmupTasks, assigned.warmup)
  if (memberEpoch < member.memberEpoch && hasMissedAnswer) return
  throw fencedEpoch(group, member, memberEpoch)
}

/** @throws BrokerError INVALID_REQUEST for a task that the topology does not have */
export function checkStreamsTasks(
  { subtopologies }: ConfiguredTopology,
  { activeTasks, standbyTasks, warmupTasks }: StreamsHeartbeatRequest,
): void {
  for (const tasks of [activeTasks, standbyTasks, warmupTasks]) {
    for (const { subtopologyId, partitions } of tasks ?? []) {
      const taskCount = subtopologies?.get(subtopologyId)?.taskCount
      if (taskCount === undefined) {
        throw invalidRequest(`Subtopology ${subtopologyId} does not exist in the topology.`)
      }
      const unknown = partitions.find((partition) => partition < 0 || partition >= taskCount)
      if (unknown === undefined) continue
      throw invalidRequest(
        `Task ${unknown} for subtopology ${subtopologyId} is invalid. ` +
          `Number of tasks for this subtopology: ${taskCount}`,
      )
    }
  }
}
