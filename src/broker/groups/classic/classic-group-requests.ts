import type { ErrorCode } from '../../../base/error-code.ts'

/** Who asks, as DescribeGroups shows it. */
export interface GroupClient {
  readonly clientId: string
  /** `/` and the numeric address, as Kafka prints it. */
  readonly clientHost: string
}

/** An assignor and what the member tells it; opaque to the broker. The bytes belong to the group. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinGroupRequest {
  readonly groupId: string
  readonly client: GroupClient
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** Empty: new to the group. */
  readonly memberId: string
  /** `group.instance.id` of a static member (KIP-345). */
  readonly groupInstanceId: string | null
  readonly protocolType: string
  /** Best first. */
  readonly protocols: readonly MemberProtocol[]
  /** KIP-394: a new member gets an id first and joins with it. */
  readonly isMemberIdRequired: boolean
  /** KIP-814: a leader that came back may be told to skip the assignment. */
  readonly canSkipAssignment: boolean
}

export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

export interface JoinGroupResult {
  readonly errorCode: ErrorCode
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment: boolean
  readonly memberId: string
  /** For the leader only. */
  readonly members: readonly JoinedMember[]
}

/** A refused join. */
export function joinError(errorCode: ErrorCode, memberId: string): JoinGroupResult {
  return {
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

export interface SyncGroupRequest {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** By member id, from the leader only. The bytes belong to the group. */
  readonly assignments: ReadonlyMap<string, Buffer>
}

export interface SyncGroupResult {
  readonly errorCode: ErrorCode
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export const NO_BYTES: Buffer = Buffer.alloc(0)

/** A refused sync. */
export function syncError(errorCode: ErrorCode): SyncGroupResult {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_BYTES }
}

export interface HeartbeatRequest {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface LeavingMember {
  /** May be empty when the instance id is given: an operator removes a static member. */
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface LeaveGroupRequest {
  readonly groupId: string
  readonly members: readonly LeavingMember[]
}

interface LeftMember extends LeavingMember {
  readonly errorCode: ErrorCode
}

export interface LeaveGroupResult {
  readonly errorCode: ErrorCode
  readonly members: readonly LeftMember[]
}

export interface DescribedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly metadata: Buffer
  readonly assignment: Buffer
}

export interface DescribedGroup {
  readonly groupId: string
  readonly errorCode: ErrorCode
  /** Why, where the code alone does not say it. */
  readonly errorMessage?: string
  readonly state: string
  readonly protocolType: string
  readonly protocolName: string
  readonly members: readonly DescribedMember[]
}

/** A group that can't be described; `Dead` when there is none of that id. */
export function describeError(
  groupId: string,
  errorCode: ErrorCode,
  state: string,
): DescribedGroup {
  return { groupId, errorCode, state, protocolType: '', protocolName: '', members: [] }
}
