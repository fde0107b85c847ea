import { assert } from '../../../base/assert.ts'
import { ErrorCode } from '../../../base/error-code.ts'
import {
  CONSUMER_PROTOCOL_TYPE,
  decodeSubscribedTopics,
} from '../../../records/internal/consumer-protocol.ts'
import type { Reply } from '../../coordinator/coordinator-turn.ts'
import { type ClassicGroupMember, metadataOf } from './classic-group-member.ts'
import type { JoinedMember, MemberProtocol } from './classic-group-requests.ts'

/** The states of a classic group, as DescribeGroups and ListGroups name them. */
export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

const VALID_PREVIOUS: Readonly<Record<ClassicGroupState, readonly ClassicGroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
}

/** What a group is made of when it comes from a record or from nothing. */
export interface ClassicGroupFacts {
  readonly state?: ClassicGroupState
  readonly generationId?: number
  readonly protocolType?: string | null
  readonly protocolName?: string | null
  readonly leaderId?: string | null
  /** -1: unknown. */
  readonly stateTimestampMs?: number
}

/** A group of the classic protocol: who is in, and how far its rebalance is. Pure state. */
export class ClassicGroup {
  readonly type = 'classic'
  readonly groupId: string
  state: ClassicGroupState
  previousState: ClassicGroupState = 'Empty'
  /** When the group came into its state; decides when offsets of an empty group expire. */
  stateTimestampMs: number
  generationId: number
  /** null: never had members, so it only keeps offsets. */
  protocolType: string | null
  protocolName: string | null
  leaderId: string | null
  /** A member came during the initial rebalance, so the delay may be made longer. */
  hasNewMember = false
  readonly members = new Map<string, ClassicGroupMember>()
  /** Member id of each static member. */
  readonly #staticMembers = new Map<string, string>()
  /** Got an id and have not joined with it yet. */
  readonly pendingJoinMembers = new Set<string>()
  /** Got a join answer and have not synced yet. */
  readonly pendingSyncMembers = new Set<string>()
  #subscribedTopics: ReadonlySet<string> | null = null

  constructor(groupId: string, facts: ClassicGroupFacts = {}) {
    this.groupId = groupId
    this.state = facts.state ?? 'Empty'
    this.generationId = facts.generationId ?? 0
    this.protocolType = facts.protocolType ?? null
    this.protocolName = facts.protocolName ?? null
    this.leaderId = facts.leaderId ?? null
    this.stateTimestampMs = facts.stateTimestampMs ?? -1
  }

  get isEmpty(): boolean {
    return this.state === 'Empty'
  }

  get usesConsumerProtocol(): boolean {
    return this.protocolType === CONSUMER_PROTOCOL_TYPE
  }

  get canRebalance(): boolean {
    return VALID_PREVIOUS.PreparingRebalance.includes(this.state)
  }

  get awaitingJoinCount(): number {
    let count = 0
    for (const member of this.members.values()) if (member.awaitingJoin !== null) count++
    return count
  }

  get hasAllMembersJoined(): boolean {
    return this.pendingJoinMembers.size === 0 && this.awaitingJoinCount === this.members.size
  }

  /** The largest of all members: each has a right to its time. */
  get rebalanceTimeoutMs(): number {
    let timeoutMs = 0
    for (const member of this.members.values()) {
      timeoutMs = Math.max(timeoutMs, member.rebalanceTimeoutMs)
    }
    return timeoutMs
  }

  transitionTo(state: ClassicGroupState, nowMs: number): void {
    assert(VALID_PREVIOUS[state].includes(this.state), 'the group may change to this state')
    this.previousState = this.state
    this.state = state
    this.stateTimestampMs = nowMs
  }

  staticMemberId(groupInstanceId: string): string | undefined {
    return this.#staticMembers.get(groupInstanceId)
  }

  add(member: ClassicGroupMember, protocolType: string): void {
    if (this.members.size === 0) this.protocolType = protocolType
    assert(this.protocolType === protocolType, 'all members have one protocol type')
    if (member.groupInstanceId !== null) {
      assert(
        !this.#staticMembers.has(member.groupInstanceId),
        'an instance id is in the group once',
      )
      this.#staticMembers.set(member.groupInstanceId, member.memberId)
    }
    this.leaderId ??= member.memberId
    this.members.set(member.memberId, member)
    this.pendingJoinMembers.delete(member.memberId)
  }

  remove(memberId: string): void {
    const member = this.members.get(memberId)
    this.members.delete(memberId)
    if (member?.groupInstanceId != null) this.#staticMembers.delete(member.groupInstanceId)
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null
    this.pendingJoinMembers.delete(memberId)
    this.pendingSyncMembers.delete(memberId)
  }

  /** Puts a new incarnation of a static member in the place of the old one. */
  replace(oldMemberId: string, member: ClassicGroupMember): void {
    assert(member.groupInstanceId !== null, 'only static members are replaced')
    this.members.delete(oldMemberId)
    this.members.set(member.memberId, member)
    this.#staticMembers.set(member.groupInstanceId, member.memberId)
    if (this.leaderId === oldMemberId) this.leaderId = member.memberId
    this.pendingSyncMembers.delete(oldMemberId)
  }

  /** NONE, UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID for an old incarnation of a static member. */
  checkMember(memberId: string, groupInstanceId: string | null): ErrorCode {
    if (groupInstanceId !== null) {
      const current = this.#staticMembers.get(groupInstanceId)
      if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }

  /** True when somebody who offers these could be in: at least one is known to all members. */
  supportsProtocols(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.state === 'Empty') return protocolType !== '' && protocols.length > 0
    if (this.protocolType !== protocolType) return false
    const candidates = this.#candidateProtocols()
    // The last member left while a pending one keeps the group in PreparingRebalance.
    if (this.members.size === 0) return protocols.length > 0
    return protocols.some(({ name }) => candidates.has(name))
  }

  /**
   * Each member votes for the first of its protocols that all know; most votes win, and the
   * protocol that was voted for first among equals.
   */
  selectProtocol(): string {
    assert(this.members.size > 0, 'members select the protocol')
    const candidates = this.#candidateProtocols()
    const votes = new Map<string, number>()
    for (const { protocols } of this.members.values()) {
      const choice = protocols.find(({ name }) => candidates.has(name))
      assert(choice !== undefined, 'every member knows a candidate')
      votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
    }
    let best = ''
    for (const [name, count] of votes) if (count > (votes.get(best) ?? 0)) best = name
    return best
  }

  #candidateProtocols(): ReadonlySet<string> {
    const counts = new Map<string, number>()
    for (const { protocols } of this.members.values()) {
      for (const name of new Set(protocols.map((protocol) => protocol.name))) {
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
    }
    const candidates = new Set<string>()
    for (const [name, count] of counts) if (count === this.members.size) candidates.add(name)
    return candidates
  }

  /** A leader that did not rejoin loses the office; false when nobody can have it. */
  electJoinedLeader(): boolean {
    const leader = this.leaderId === null ? undefined : this.members.get(this.leaderId)
    if (leader === undefined) return false
    if (leader.awaitingJoin !== null) return true
    for (const member of this.members.values()) {
      if (member.awaitingJoin === null) continue
      this.leaderId = member.memberId
      return true
    }
    return false
  }

  /** The join phase is over. */
  startGeneration(nowMs: number): void {
    this.generationId = this.generationId === 0x7fff_ffff ? 0 : this.generationId + 1
    const isEmpty = this.members.size === 0
    this.protocolName = isEmpty ? null : this.selectProtocol()
    this.refreshSubscribedTopics()
    this.transitionTo(isEmpty ? 'Empty' : 'CompletingRebalance', nowMs)
    this.pendingSyncMembers.clear()
  }

  joinedMembers(): JoinedMember[] {
    return [...this.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: metadataOf(member, this.protocolName),
    }))
  }

  /** Topics the members subscribe to, null when the group does not say it in a way known here. */
  get subscribedTopics(): ReadonlySet<string> | null {
    return this.#subscribedTopics
  }

  /** Offsets of such a topic are neither deleted nor expired; unknown counts as subscribed. */
  isSubscribedTo(topic: string): boolean {
    return this.#subscribedTopics?.has(topic) ?? this.usesConsumerProtocol
  }

  refreshSubscribedTopics(): void {
    this.#subscribedTopics = this.usesConsumerProtocol ? this.#readSubscriptions() : null
  }

  #readSubscriptions(): ReadonlySet<string> | null {
    const topics = new Set<string>()
    for (const member of this.members.values()) {
      const metadata = metadataOf(member, this.protocolName)
      try {
        for (const name of decodeSubscribedTopics(metadata)) topics.add(name)
      } catch {
        // Bytes of a client: nothing is known of what this group reads, which is a valid state.
        return null
      }
    }
    return topics
  }

  parkedReplies(): Reply<never>[] {
    const replies: Reply<never>[] = []
    for (const { awaitingJoin, awaitingSync } of this.members.values()) {
      if (awaitingJoin !== null) replies.push(awaitingJoin)
      if (awaitingSync !== null) replies.push(awaitingSync)
    }
    return replies
  }
}
