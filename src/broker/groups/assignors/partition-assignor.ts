import type { Assignment } from './assignment.ts'

/** A member as an assignor sees it. */
export interface AssignableMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** Topics that exist and that it wants. */
  readonly topicIds: ReadonlySet<string>
  /** What it was to have so far. */
  readonly assignment: Assignment
}

export interface AssignmentRequest {
  readonly members: readonly AssignableMember[]
  /** All members want the same topics. */
  readonly isHomogeneous: boolean
  /** Of a topic that a member wants. */
  readonly partitionCount: (topicId: string) => number
}

/** New assignments by member id; a member that is missing gets nothing. */
export type GroupAssignment = ReadonlyMap<string, Assignment>

/** Divides the partitions among the members. Pure: the same request gives the same answer. */
export type PartitionAssignor = (request: AssignmentRequest) => GroupAssignment
