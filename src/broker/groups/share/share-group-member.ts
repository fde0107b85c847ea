import { type Assignment, NO_ASSIGNMENT } from '../assignors/assignment.ts'

/** One member of a share group (KIP-932). It is replaced as a whole, never changed. */
export interface ShareGroupMember {
  readonly memberId: string
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Sorted, each once. */
  readonly subscribedTopicNames: readonly string[]
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly assigned: Assignment
}

/** A member that has just come. */
export function newShareMember(memberId: string): ShareGroupMember {
  return {
    memberId,
    rackId: null,
    clientId: '',
    clientHost: '',
    subscribedTopicNames: [],
    memberEpoch: 0,
    previousMemberEpoch: -1,
    assigned: NO_ASSIGNMENT,
  }
}
