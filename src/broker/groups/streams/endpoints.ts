import type { GroupTopics } from '../group-step.ts'
import type { StreamsGroup } from './streams-group.ts'
import type { StreamsGroupMember } from './streams-group-member.ts'
import type { EndpointPartitions, TopicPartitions } from './streams-group-requests.ts'
import { type AnyTasks, eachTask } from './tasks.ts'

/**
 * Which partitions can be asked for at which member; members without an endpoint are left out.
 * @param asker the member that is told, which is the last
 */
export function endpointsOf(
  group: StreamsGroup,
  asker: StreamsGroupMember,
  topics: GroupTopics,
): EndpointPartitions[] {
  const others = [...group.members.values()].filter(({ memberId }) => memberId !== asker.memberId)
  return [...others, asker].flatMap((member) => {
    const { userEndpoint } = member
    if (userEndpoint === null) return []
    const { active, standby, warmup } = member.assigned
    return [
      {
        userEndpoint,
        activePartitions: partitionsOf(group, [active], topics),
        standbyPartitions: partitionsOf(group, [standby, warmup], topics),
      },
    ]
  })
}

/** A task reads the same partition of every topic of its subtopology that has so many. */
function partitionsOf(
  { configured }: StreamsGroup,
  roles: readonly AnyTasks[],
  { topics }: GroupTopics,
): TopicPartitions[] {
  const partitions = new Map<string, Set<number>>()
  for (const [subtopologyId, partition] of roles.flatMap((tasks) => [...eachTask(tasks)])) {
    const subtopology = configured?.subtopologies?.get(subtopologyId)
    if (subtopology === undefined) continue
    const names = [
      ...subtopology.sourceTopics,
      ...subtopology.repartitionSourceTopics.map(({ name }) => name),
    ]
    for (const name of names) {
      if (partition >= (topics.get(name)?.partitions.length ?? 0)) continue
      partitions.set(name, (partitions.get(name) ?? new Set()).add(partition))
    }
  }
  return [...partitions].map(([topic, of]) => ({
    topic,
    partitions: [...of].sort((a, b) => a - b),
  }))
}
