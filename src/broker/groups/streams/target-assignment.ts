import type { GroupConfig } from '../group-config.ts'
import type { GroupStep } from '../group-step.ts'
import { assignTasks } from './sticky-task-assignor.ts'
import { recordStreamsTarget, recordStreamsTargetEpoch } from './streams-changes.ts'
import { NO_TASK_OFFSETS, type StreamsGroup } from './streams-group.ts'
import { StatusCode, type StreamsStatus } from './streams-status.ts'
import { isSameTasks, NO_TASKS, type Tasks } from './tasks.ts'

const STANDBY_COUNT = 'num.standby.replicas'
const CLIENT_TAGS = 'rack.aware.assignment.tags'

/** The settings that decide an assignment, as the records of the group name them. */
export function assignmentConfigsOf(
  groupId: string,
  config: GroupConfig,
): ReadonlyMap<string, string> {
  const own = config.ofGroup(groupId)
  const standbyCount = own.streamsStandbyCount ?? config.streamsStandbyCount
  const tags = own.streamsClientTags ?? config.streamsClientTags
  const configs = new Map([[STANDBY_COUNT, String(standbyCount)]])
  if (tags.length > 0) configs.set(CLIENT_TAGS, tags.join(','))
  return configs
}

/** The tags that members have to have. */
export function clientTagsOf(configs: ReadonlyMap<string, string>): string[] {
  const tags = (configs.get(CLIENT_TAGS) ?? '').trim()
  return tags === '' ? [] : tags.split(',').map((tag) => tag.trim())
}

export function isSameConfigs(
  a: ReadonlyMap<string, string>,
  b: ReadonlyMap<string, string>,
): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

/**
 * Makes the target assignment of the group epoch, if it is not made yet, the group does not wait for
 * its first members, and the last one is not too fresh.
 * @returns why it is not made; null: it is
 */
export function updateStreamsTarget(group: StreamsGroup, step: GroupStep): StreamsStatus | null {
  if (group.isInitialDelayActive) return delayed('initial rebalance delay')
  if (group.assignmentEpoch >= group.groupEpoch) return null
  const { turn, config } = step
  const { assignmentTimestampMs } = group
  const intervalMs =
    config.ofGroup(group.groupId).streamsAssignmentIntervalMs ?? config.streamsAssignmentIntervalMs
  if (assignmentTimestampMs !== 0 && turn.nowMs < assignmentTimestampMs + intervalMs) {
    return delayed('assignment interval')
  }
  const assignments = assignmentsOf(group)
  for (const memberId of group.members.keys()) {
    const tasks = assignments.get(memberId) ?? NO_TASKS
    const old = group.targets.get(memberId)
    if (old !== undefined && isSameTasks(old, tasks)) continue
    recordStreamsTarget(group, memberId, tasks, step)
  }
  recordStreamsTargetEpoch(group, group.groupEpoch, turn.nowMs, step)
  return null
}

const delayed = (reason: string): StreamsStatus => ({
  statusCode: StatusCode.ASSIGNMENT_DELAYED,
  statusDetail: `Assignment delayed due to the configured ${reason}.`,
})

/** While topics are missing nobody has a task. */
function assignmentsOf(group: StreamsGroup): ReadonlyMap<string, Tasks> {
  const { configured, assignmentConfigs } = group
  if (configured === null || configured.subtopologies === null || configured.problem !== null) {
    return new Map()
  }
  return assignTasks({
    members: [...group.members.values()].map(({ memberId, processId, assigned }) => ({
      memberId,
      processId,
      assigned,
      taskOffsets: group.taskOffsets.get(memberId) ?? NO_TASK_OFFSETS,
    })),
    subtopologies: [...configured.subtopologies].map(([subtopologyId, subtopology]) => ({
      subtopologyId,
      taskCount: subtopology.taskCount,
      isStateful: subtopology.stateChangelogTopics.length > 0,
    })),
    standbyCount: Number(assignmentConfigs.get(STANDBY_COUNT) ?? 0),
  })
}
