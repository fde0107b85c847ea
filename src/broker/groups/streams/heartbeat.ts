import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import { groupTombstone } from '../group-coordinator-records.ts'
import { checkRoom } from '../member-checks.ts'
import { endpointsOf } from './endpoints.ts'
import { leaveStreamsGroup } from './leave.ts'
import { planStreamsHeartbeat, type StreamsPlan } from './plan.ts'
import { reconcileStreamsMember } from './reconciliation.ts'
import { checkStreamsMember, checkStreamsRequest } from './request-checks.ts'
import {
  recordNextStreamsEpoch,
  recordStreamsAssignment,
  recordStreamsMember,
  recordStreamsMemberGone,
  recordStreamsTarget,
  recordStreamsTopology,
} from './streams-changes.ts'
import { StreamsGroup } from './streams-group.ts'
import { isReconciledTo, isSameEndpoint, type StreamsGroupMember } from './streams-group-member.ts'
import type {
  StreamsHeartbeatOutcome,
  StreamsHeartbeatRequest,
  StreamsHeartbeatResult,
} from './streams-group-requests.ts'
import { StatusCode, type StreamsStatus } from './streams-status.ts'
import type { StreamsStep } from './streams-step.ts'
import {
  cancelStreamsTimers,
  scheduleStreamsSession,
  startInitialDelay,
  updateStreamsRebalance,
} from './streams-timers.ts'
import { clientTagsOf, updateStreamsTarget } from './target-assignment.ts'
import { isSameOwned, listOfTasks, NO_TASKS, type Tasks, tasksOf } from './tasks.ts'

/** Until a topic changes, what a group knows of its topics stays right. */
const METADATA_REFRESH_INTERVAL_MS = 0x7fff_ffff

/**
 * StreamsGroupHeartbeat (KIP-1071): a member joins with the topology of its application, leaves, says
 * what it has, and is told what it shall have and what keeps it from running. All checks come first,
 * so a refusal changes nothing.
 * @throws BrokerError with the code and the text of the answer
 * Source: GroupMetadataManager.streamsGroupHeartbeat of Kafka 4.4.
 */
export function streamsHeartbeat(
  request: StreamsHeartbeatRequest,
  step: StreamsStep,
): StreamsHeartbeatOutcome {
  checkStreamsRequest(request)
  if (request.memberEpoch < 0) {
    return { result: leaveStreamsGroup(request, step), missingTopics: [] }
  }
  const opened = openStreamsGroup(request, step)
  const { group } = opened
  const known = checkStreamsMember(group, request)
  const plan = planStreamsHeartbeat(group, known, request, step)

  opened.adopt()
  const wasEmpty = group.isEmpty
  if (plan.replaced !== null) replaceStaticMember(group, plan.replaced, plan.old, step)
  if (plan.hasNewMetadata) recordStreamsMember(group, plan.updated, step)
  if (plan.topology !== group.topology) recordStreamsTopology(group, plan.topology, step)
  group.configured = plan.configured
  group.metadataRefreshDeadlineMs = step.turn.nowMs + METADATA_REFRESH_INTERVAL_MS
  if (plan.taskOffsets !== null) group.taskOffsets.set(plan.updated.memberId, plan.taskOffsets)
  if (plan.mustBump) recordNextStreamsEpoch(group, plan.epochFacts, step)
  if (wasEmpty) startInitialDelay(group, step)
  const delay = updateStreamsTarget(group, step)
  const member = reconcile(group, plan.updated, request, step)
  scheduleStreamsSession(group.groupId, member.memberId, step)
  if (request.isShutdownRequested) group.requestShutdown(member.memberId)

  const hasNewTasks = !isSameOwned(plan.old.assigned, member.assigned)
  const hasNewEndpoint = !isSameEndpoint(plan.old.userEndpoint, member.userEndpoint)
  if (hasNewEndpoint || (hasNewTasks && member.userEndpoint !== null)) group.endpointEpoch++
  const result = {
    ...answer(group, member, plan, delay, request, step),
    tasks: request.memberEpoch === 0 || hasNewTasks ? tasksToTell(member) : null,
  }
  // Kafka makes the group when it replays the records of its first member: nothing is told yet.
  if (opened.isNew) group.endpointEpoch = 0
  return {
    result: opened.isNew ? { ...result, endpointEpoch: 0 } : result,
    missingTopics: plan.configured.problem === null ? [] : plan.configured.missingTopics,
  }
}

/** A group to check a request against; only `adopt` makes it the group of that id. */
interface OpenedStreamsGroup {
  readonly group: StreamsGroup
  readonly isNew: boolean
  adopt(): void
}

/** @throws BrokerError GROUP_ID_NOT_FOUND or GROUP_MAX_SIZE_REACHED */
function openStreamsGroup(
  request: StreamsHeartbeatRequest,
  { groups, turn, config }: StreamsStep,
): OpenedStreamsGroup {
  const { groupId, memberId, instanceId } = request
  const known = groups.group(groupId)
  if (known instanceof StreamsGroup) {
    if (request.memberEpoch === 0) checkRoom(known, memberId, instanceId, config.streamsMaxSize)
    return { group: known, isNew: false, adopt: () => {} }
  }
  const isEmptyClassic = known?.type === 'classic' && known.isEmpty
  if (request.memberEpoch !== 0 || (known !== undefined && !isEmptyClassic)) {
    const problem =
      known === undefined
        ? `Streams group ${groupId} not found.`
        : `Group ${groupId} is not a streams group.`
    throw new BrokerError(ErrorCode.GROUP_ID_NOT_FOUND, problem)
  }
  const group = new StreamsGroup(groupId)
  checkRoom(group, memberId, instanceId, config.streamsMaxSize)
  const adopt = (): void => {
    if (known !== undefined) turn.append(groupTombstone(groupId))
    groups.put(group)
  }
  return { group, isNew: true, adopt }
}

/** A static member that comes back goes on where the old one was, under its new member id. */
function replaceStaticMember(
  group: StreamsGroup,
  old: StreamsGroupMember,
  member: StreamsGroupMember,
  step: StreamsStep,
): void {
  const target = group.target(old.memberId)
  recordStreamsMemberGone(group, old.memberId, step)
  cancelStreamsTimers(group.groupId, old.memberId, step)
  recordStreamsMember(group, member, step)
  recordStreamsTarget(group, member.memberId, target, step)
  recordStreamsAssignment(group, member, step)
}

/** One step of the member towards its target. @returns the member as it is then */
function reconcile(
  group: StreamsGroup,
  member: StreamsGroupMember,
  request: StreamsHeartbeatRequest,
  step: StreamsStep,
): StreamsGroupMember {
  const targetEpoch = group.assignmentEpoch
  if (isReconciledTo(member, targetEpoch)) return member
  const next = reconcileStreamsMember({
    member,
    targetEpoch,
    // While a group waits for its first members, nobody has to have anything.
    target: group.isInitialDelayActive ? NO_TASKS : group.target(member.memberId),
    owned: ownedOf(request),
    processesOf: (role, id, partition) => group.processesOf(role, id, partition),
  })
  if (isSamePlace(member, next)) return member
  recordStreamsAssignment(group, next, step)
  updateStreamsRebalance(group.groupId, next, step)
  return next
}

function isSamePlace(a: StreamsGroupMember, b: StreamsGroupMember): boolean {
  return (
    a.state === b.state &&
    a.memberEpoch === b.memberEpoch &&
    a.previousMemberEpoch === b.previousMemberEpoch &&
    isSameOwned(a.assigned, b.assigned) &&
    isSameOwned(a.pendingRevocation, b.pendingRevocation)
  )
}

function ownedOf({
  activeTasks,
  standbyTasks,
  warmupTasks,
}: StreamsHeartbeatRequest): Tasks | null {
  if (activeTasks === null || standbyTasks === null || warmupTasks === null) return null
  return {
    active: tasksOf(activeTasks),
    standby: tasksOf(standbyTasks),
    warmup: tasksOf(warmupTasks),
  }
}

function tasksToTell({ assigned }: StreamsGroupMember) {
  return {
    active: listOfTasks(assigned.active),
    standby: listOfTasks(assigned.standby),
    warmup: listOfTasks(assigned.warmup),
  }
}

function answer(
  group: StreamsGroup,
  member: StreamsGroupMember,
  plan: StreamsPlan,
  delay: StreamsStatus | null,
  request: StreamsHeartbeatRequest,
  { config, topics }: StreamsStep,
): StreamsHeartbeatResult {
  const own = config.ofGroup(group.groupId)
  const hasNews = group.endpointEpoch !== request.endpointEpoch
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    memberId: member.memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs: own.streamsHeartbeatIntervalMs ?? config.streamsHeartbeatIntervalMs,
    acceptableRecoveryLag: own.streamsAcceptableRecoveryLag ?? config.streamsAcceptableRecoveryLag,
    taskOffsetIntervalMs: own.streamsTaskOffsetIntervalMs ?? config.streamsTaskOffsetIntervalMs,
    status: statusOf(group, member, plan, delay, request),
    tasks: null,
    endpointEpoch: group.endpointEpoch,
    endpoints: hasNews ? endpointsOf(group, member, topics) : null,
  }
}

function statusOf(
  group: StreamsGroup,
  member: StreamsGroupMember,
  { staleTopology, configured }: StreamsPlan,
  delay: StreamsStatus | null,
  { knowsClientTagStatus }: StreamsHeartbeatRequest,
): StreamsStatus[] {
  const { shutdownRequester, assignmentConfigs } = group
  const shutdown: StreamsStatus | null =
    shutdownRequester === null
      ? null
      : {
          statusCode: StatusCode.SHUTDOWN_APPLICATION,
          statusDetail:
            `Streams group member ${shutdownRequester} encountered a fatal error and requested a ` +
            'shutdown for the entire application.',
        }
  const tags = clientTagsOf(assignmentConfigs).filter((tag) => !member.clientTags.has(tag))
  const missingTags: StreamsStatus | null =
    tags.length === 0 || !knowsClientTagStatus
      ? null
      : {
          statusCode: StatusCode.MISSING_CLIENT_TAGS,
          statusDetail:
            `Missing required client tags for rack-aware standby assignment: ` +
            `[${tags.join(', ')}]. Configure them via 'client.tag.<tagKey>' in your Streams config.`,
        }
  const all = [staleTopology, delay, configured.problem, shutdown, missingTags]
  return all.filter((status) => status !== null)
}
