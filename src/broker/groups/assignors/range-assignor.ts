import type { MutableAssignment } from './assignment.ts'
import type { AssignableMember, AssignmentRequest, GroupAssignment } from './partition-assignor.ts'

/** How far a topic has been handed out. */
interface TopicRange {
  nextPartition: number
  readonly partitionCount: number
  readonly minQuota: number
  extraCount: number
}

/**
 * Gives each member a run of neighbouring partitions of each topic it wants, the same run in topics
 * of the same size: partitions that belong together stay together. The first members get one more
 * where it does not divide evenly. Source: RangeAssignor of Kafka 4.4.
 */
export function assignRange(request: AssignmentRequest): GroupAssignment {
  const members = [...request.members].sort(byInstanceThenMember)
  const topics = rangesOf(members, request.partitionCount)
  const assignments = new Map<string, MutableAssignment>()
  for (const { memberId, topicIds } of members) {
    const assignment: MutableAssignment = new Map()
    for (const topicId of topicIds) {
      const range = topics.get(topicId)
      const partitions = range === undefined ? new Set<number>() : take(range)
      if (partitions.size > 0) assignment.set(topicId, partitions)
    }
    assignments.set(memberId, assignment)
  }
  return assignments
}

function rangesOf(
  members: readonly AssignableMember[],
  partitionCount: (topicId: string) => number,
): Map<string, TopicRange> {
  const subscriberCounts = new Map<string, number>()
  for (const { topicIds } of members) {
    for (const id of topicIds) subscriberCounts.set(id, (subscriberCounts.get(id) ?? 0) + 1)
  }
  const ranges = new Map<string, TopicRange>()
  for (const [topicId, subscriberCount] of subscriberCounts) {
    const count = partitionCount(topicId)
    const minQuota = Math.floor(count / subscriberCount)
    const extraCount = count % subscriberCount
    ranges.set(topicId, { nextPartition: 0, partitionCount: count, minQuota, extraCount })
  }
  return ranges
}

function take(range: TopicRange): Set<number> {
  const size = range.minQuota + (range.extraCount > 0 ? 1 : 0)
  if (range.extraCount > 0) range.extraCount--
  const end = Math.min(range.nextPartition + size, range.partitionCount)
  const partitions = new Set<number>()
  for (let index = range.nextPartition; index < end; index++) partitions.add(index)
  range.nextPartition = end
  return partitions
}

/** Static members come first, so that their ranges stay when others come and go. */
function byInstanceThenMember(a: AssignableMember, b: AssignableMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId)
  if (a.instanceId !== null) return -1
  if (b.instanceId !== null) return 1
  return compare(a.memberId, b.memberId)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
