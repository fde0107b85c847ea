import { NO_OWNED_TASKS, type OwnedTasks } from './tasks.ts'

/** How far a member is from its target assignment; the numbers are those of the records. */
export const StreamsMemberState = {
  /** It has what it shall have, at the epoch it is at. */
  STABLE: 1,
  /** It has to give up tasks, and was told so. */
  UNREVOKED_TASKS: 2,
  /** Tasks that it shall get are still another's. */
  UNRELEASED_TASKS: 3,
  /** A state of a later version of Kafka. */
  UNKNOWN: 127,
} as const
export type StreamsMemberState = (typeof StreamsMemberState)[keyof typeof StreamsMemberState]

/** Where a member answers queries about its state (interactive queries). */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** One member of a streams group: one thread of the application. Replaced as a whole. */
export interface StreamsGroupMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  /** Of the topology that the member runs. */
  readonly topologyEpoch: number
  /** The process of the member: its threads share what is on its disk. */
  readonly processId: string
  readonly userEndpoint: Endpoint | null
  /** Where the process runs, for standby tasks that shall be elsewhere. */
  readonly clientTags: ReadonlyMap<string, string>
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: StreamsMemberState
  readonly assigned: OwnedTasks
  readonly pendingRevocation: OwnedTasks
}

/** A member that has just come. */
export function newStreamsMember(memberId: string): StreamsGroupMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    rebalanceTimeoutMs: -1,
    topologyEpoch: -1,
    processId: '',
    userEndpoint: null,
    clientTags: new Map(),
    memberEpoch: 0,
    previousMemberEpoch: 0,
    state: StreamsMemberState.STABLE,
    assigned: NO_OWNED_TASKS,
    pendingRevocation: NO_OWNED_TASKS,
  }
}

export function isReconciledTo(member: StreamsGroupMember, epoch: number): boolean {
  return member.state === StreamsMemberState.STABLE && member.memberEpoch === epoch
}

export function isSameEndpoint(a: Endpoint | null, b: Endpoint | null): boolean {
  if (a === null || b === null) return a === b
  return a.host === b.host && a.port === b.port
}

/** True when a record of both would be the same. */
export function isSameMetadata(a: StreamsGroupMember, b: StreamsGroupMember): boolean {
  return (
    isSamePlacement(a, b) &&
    a.instanceId === b.instanceId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    isSameEndpoint(a.userEndpoint, b.userEndpoint)
  )
}

/** True when nothing changed that decides which tasks the member should have. */
export function isSamePlacement(a: StreamsGroupMember, b: StreamsGroupMember): boolean {
  return (
    a.topologyEpoch === b.topologyEpoch &&
    a.rackId === b.rackId &&
    a.processId === b.processId &&
    isSameTags(a.clientTags, b.clientTags)
  )
}

function isSameTags(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}
