import type { Reply } from '../../coordinator/coordinator-turn.ts'
import {
  type DescribedMember,
  type GroupClient,
  type JoinGroupResult,
  type MemberProtocol,
  NO_BYTES,
  type SyncGroupResult,
} from './classic-group-requests.ts'

/** One member of a classic group. */
export interface ClassicGroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  clientId: string
  clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  /** Best first. After a restart only the one that was chosen is known. */
  protocols: readonly MemberProtocol[]
  assignment: Buffer
  /** It waits for its first generation: nobody could tell it to be alive yet. */
  isNew: boolean
  /** Its JoinGroup waits for the others. */
  awaitingJoin: Reply<JoinGroupResult> | null
  /** Its SyncGroup waits for the leader. */
  awaitingSync: Reply<SyncGroupResult> | null
}

export interface NewMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly client: GroupClient
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly protocols: readonly MemberProtocol[]
  readonly assignment?: Buffer
}

export function makeMember(facts: NewMember): ClassicGroupMember {
  return {
    memberId: facts.memberId,
    groupInstanceId: facts.groupInstanceId,
    clientId: facts.client.clientId,
    clientHost: facts.client.clientHost,
    rebalanceTimeoutMs: facts.rebalanceTimeoutMs,
    sessionTimeoutMs: facts.sessionTimeoutMs,
    protocols: facts.protocols,
    assignment: facts.assignment ?? NO_BYTES,
    isNew: false,
    awaitingJoin: null,
    awaitingSync: null,
  }
}

/** What the member said for an assignor; nothing if it does not know it. */
export function metadataOf(member: ClassicGroupMember, protocolName: string | null): Buffer {
  return member.protocols.find(({ name }) => name === protocolName)?.metadata ?? NO_BYTES
}

/** True when the member offers exactly the same, in the same order. */
export function hasSameProtocols(
  member: ClassicGroupMember,
  protocols: readonly MemberProtocol[],
): boolean {
  if (member.protocols.length !== protocols.length) return false
  return member.protocols.every((mine, index) => {
    const theirs = protocols[index]
    return (
      theirs !== undefined && mine.name === theirs.name && mine.metadata.equals(theirs.metadata)
    )
  })
}

/** It is heard of, without heartbeats: one of its requests waits here. A new one does not count. */
export function hasSatisfiedHeartbeat(member: ClassicGroupMember): boolean {
  return !member.isNew && (member.awaitingJoin !== null || member.awaitingSync !== null)
}

/** @param protocolName null: the group is not stable, so there is nothing to say of assignments */
export function describeMember(
  member: ClassicGroupMember,
  protocolName: string | null,
): DescribedMember {
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    metadata: protocolName === null ? NO_BYTES : metadataOf(member, protocolName),
    assignment: protocolName === null ? NO_BYTES : member.assignment,
  }
}
