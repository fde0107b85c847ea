import { type Assignment, addPartition, type MutableAssignment } from './assignment.ts'
import type { AssignableMember, GroupAssignment } from './partition-assignor.ts'

export interface ShareAssignmentRequest {
  readonly members: readonly AssignableMember[]
  /** All members want the same topics. */
  readonly isHomogeneous: boolean
  /** Partitions of a topic that can be given to members. */
  readonly partitionsOf: (topicId: string) => readonly number[]
}

interface TopicPartition {
  readonly topicId: string
  readonly partition: number
}

/** A member while its partitions are worked out. */
interface Place {
  readonly memberId: string
  readonly desiredCount: number
  readonly partitions: Set<string>
}

/**
 * Gives partitions to members of a share group, who may have the same one: each partition gets equally
 * many, each member too, and what a member has stays if it can. Members with different topics are
 * placed topic by topic. Source: SimpleAssignor of Kafka 4.4.
 */
export function assignSimply(request: ShareAssignmentRequest): GroupAssignment {
  const { members, isHomogeneous, partitionsOf } = request
  const assignments = new Map<string, MutableAssignment>()
  for (const { memberId } of members) assignments.set(memberId, new Map())
  const topicIds = new Set(members.flatMap((member) => [...member.topicIds]))
  const topics = [...topicIds].map((topicId) =>
    partitionsOf(topicId).map((partition) => ({ topicId, partition })),
  )
  if (isHomogeneous) {
    place(members, topics.flat(), assignments)
  } else {
    for (const partitions of topics) {
      const topicId = partitions[0]?.topicId
      if (topicId === undefined) continue
      const subscribers = members.filter((member) => member.topicIds.has(topicId))
      place(subscribers, partitions, assignments)
    }
  }
  return assignments
}

/** Members in all, and how many of them share each partition, are rounded up to even numbers. */
function place(
  members: readonly AssignableMember[],
  partitions: readonly TopicPartition[],
  assignments: ReadonlyMap<string, MutableAssignment>,
): void {
  if (partitions.length === 0) return
  const sharing = Math.ceil(members.length / partitions.length)
  const average = (sharing * partitions.length) / members.length
  const holderCounts = new Map<string, number>(partitions.map((one) => [nameOf(one), 0]))
  const places = members.map((member, index) => {
    const desiredCount = Math.ceil(average * (index + 1)) - Math.ceil(average * index)
    const kept = keptPartitions(member.assignment, desiredCount, sharing, holderCounts)
    return { memberId: member.memberId, desiredCount, partitions: kept }
  })
  fill(places, partitions, sharing, holderCounts)
  for (const { memberId, partitions: given } of places) {
    const assignment = assignments.get(memberId)
    if (assignment === undefined) continue
    for (const one of partitions) {
      if (given.has(nameOf(one))) addPartition(assignment, one.topicId, one.partition)
    }
  }
}

function keptPartitions(
  assignment: Assignment,
  desiredCount: number,
  sharing: number,
  holderCounts: Map<string, number>,
): Set<string> {
  const kept = new Set<string>()
  for (const [topicId, partitions] of assignment) {
    for (const partition of partitions) {
      const name = nameOf({ topicId, partition })
      const holderCount = holderCounts.get(name)
      if (holderCount === undefined || holderCount >= sharing) continue
      if (kept.size >= desiredCount) return kept
      holderCounts.set(name, holderCount + 1)
      kept.add(name)
    }
  }
  return kept
}

/** Round and round over the members that have room. */
function fill(
  places: readonly Place[],
  partitions: readonly TopicPartition[],
  sharing: number,
  holderCounts: Map<string, number>,
): void {
  const open = places.filter((one) => one.partitions.size < one.desiredCount)
  let turn = 0
  for (const partition of partitions) {
    const name = nameOf(partition)
    let missing = sharing - (holderCounts.get(name) ?? 0)
    for (let tries = open.length; tries > 0 && missing > 0; tries--) {
      if (turn >= open.length) turn = 0
      const candidate = open[turn]
      if (candidate === undefined) return
      if (candidate.partitions.has(name)) {
        turn++
        continue
      }
      candidate.partitions.add(name)
      missing--
      if (candidate.partitions.size >= candidate.desiredCount) open.splice(turn, 1)
      else turn++
    }
  }
}

const nameOf = ({ topicId, partition }: TopicPartition): string => `${topicId}:${partition}`
