import { assert } from '../../../base/assert.ts'
import {
  addPartition,
  copyAssignment,
  type MutableAssignment,
  removePartition,
} from './assignment.ts'
import type { AssignableMember, AssignmentRequest, GroupAssignment } from './partition-assignor.ts'

interface Place {
  readonly topicId: string
  readonly partition: number
}

/** A member that may get more. */
interface Unfilled {
  readonly assignment: MutableAssignment
  quota: number
}

/**
 * All members want the same topics, so each gets `floor(partitions / members)`, and some one more.
 * A member keeps what it has up to its quota; the rest goes to those below theirs.
 */
export function assignHomogeneously(request: AssignmentRequest): GroupAssignment {
  const { members } = request
  const wanted = members[0]?.topicIds ?? new Set<string>()
  const free = unassignedPartitions(request, wanted)
  let totalCount = 0
  for (const topicId of wanted) totalCount += request.partitionCount(topicId)
  const minQuota = Math.floor(totalCount / members.length)
  let extraCount = totalCount % members.length
  const assignments = new Map<string, MutableAssignment>()
  const unfilled: Unfilled[] = []
  for (const [index, member] of members.entries()) {
    let hasExtra = extraCount > 0
    const assignment = copyAssignment(member.assignment)
    let quota = keepUpTo(minQuota + (hasExtra ? 1 : 0), assignment, wanted, free)
    // Who has room leaves the extra partition to a later one that may have it already.
    if (quota > 0 && hasExtra && members.length - index > extraCount) {
      quota--
      hasExtra = false
    }
    if (quota > 0) unfilled.push({ assignment, quota })
    if (hasExtra) extraCount--
    assignments.set(member.memberId, assignment)
  }
  handOut(free, unfilled)
  return assignments
}

/** In the order of topics and partitions. */
function unassignedPartitions(
  { members, partitionCount }: AssignmentRequest,
  wanted: ReadonlySet<string>,
): Place[] {
  const free: Place[] = []
  for (const topicId of wanted) {
    const assigned = assignedPartitions(members, topicId)
    for (let partition = 0; partition < partitionCount(topicId); partition++) {
      if (!assigned.has(partition)) free.push({ topicId, partition })
    }
  }
  return free
}

function assignedPartitions(members: readonly AssignableMember[], topicId: string): Set<number> {
  const assigned = new Set<number>()
  for (const { assignment } of members) {
    for (const partition of assignment.get(topicId) ?? []) assigned.add(partition)
  }
  return assigned
}

/** Takes away what is above the quota or not wanted. @returns what is left of the quota */
function keepUpTo(
  quota: number,
  assignment: MutableAssignment,
  wanted: ReadonlySet<string>,
  free: Place[],
): number {
  let left = quota
  for (const [topicId, partitions] of [...assignment]) {
    if (!wanted.has(topicId)) {
      assignment.delete(topicId)
      continue
    }
    for (const partition of [...partitions]) {
      if (left > 0) {
        left--
        continue
      }
      removePartition(assignment, topicId, partition)
      free.push({ topicId, partition })
    }
  }
  return left
}

function handOut(free: readonly Place[], unfilled: readonly Unfilled[]): void {
  let next = 0
  for (const { assignment, quota } of unfilled) {
    for (const { topicId, partition } of free.slice(next, next + quota)) {
      addPartition(assignment, topicId, partition)
    }
    next += quota
  }
  assert(next >= free.length, 'the quotas cover all partitions')
}
