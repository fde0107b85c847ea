import { type Assignment, NO_ASSIGNMENT } from '../assignors/assignment.ts'
import { Counts } from '../consumer/counts.ts'
import type { ShareGroupMember } from './share-group-member.ts'

/** Partitions of a topic whose state is being made, or is there. */
export interface ShareTopic {
  readonly name: string
  readonly partitions: ReadonlySet<number>
  /** When that was decided; not in the records, so from the load on after a restart. */
  readonly timestampMs: number
}

/** Which share partitions of a group have state, by topic id. */
export interface SharePartitions {
  /** The share coordinator was asked to make state. */
  readonly initializing: ReadonlyMap<string, ShareTopic>
  /** Members may read these. */
  readonly initialized: ReadonlyMap<string, ShareTopic>
  /** Names of topics whose state the share coordinator was asked to delete. */
  readonly deleting: ReadonlyMap<string, string>
}

export const NO_SHARE_PARTITIONS: SharePartitions = {
  initializing: new Map(),
  initialized: new Map(),
  deleting: new Map(),
}

/** Both epochs of a group that has no records of its own yet. */
const FIRST_EPOCH = 1

/**
 * A share group (KIP-932): its members, what they shall read and what they read. Several may have the
 * same partition, so nobody waits for another. Pure state; the same calls rebuild it from its records.
 */
export class ShareGroup {
  readonly type = 'share'
  readonly protocolType = 'share'
  readonly usesConsumerProtocol = false
  readonly groupId: string
  /** Goes up when a new target assignment is needed. */
  groupEpoch = FIRST_EPOCH
  /** Of the topics that members subscribe to, as they were at the group epoch. */
  metadataHash = 0n
  /** The group epoch that the target assignment was made for. */
  assignmentEpoch = FIRST_EPOCH
  assignmentTimestampMs = 0
  /** When the topics have to be looked at again. Not in the records: 0 after a restart. */
  metadataRefreshDeadlineMs = 0
  /** null: there is no record of them. */
  sharePartitions: SharePartitions | null = null
  readonly #members = new Map<string, ShareGroupMember>()
  readonly #targets = new Map<string, Assignment>()
  readonly #topicSubscribers = new Counts()

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  get state(): 'Empty' | 'Stable' {
    return this.isEmpty ? 'Empty' : 'Stable'
  }

  get members(): ReadonlyMap<string, ShareGroupMember> {
    return this.#members
  }

  get targets(): ReadonlyMap<string, Assignment> {
    return this.#targets
  }

  target(memberId: string): Assignment {
    return this.#targets.get(memberId) ?? NO_ASSIGNMENT
  }

  /** Adds a member, or puts it in the place of what it was. */
  putMember(member: ShareGroupMember): void {
    this.#forgetSubscription(member.memberId)
    this.#members.set(member.memberId, member)
    for (const name of member.subscribedTopicNames) this.#topicSubscribers.add(name)
  }

  removeMember(memberId: string): void {
    this.#forgetSubscription(memberId)
    this.#members.delete(memberId)
  }

  #forgetSubscription(memberId: string): void {
    const names = this.#members.get(memberId)?.subscribedTopicNames ?? []
    for (const name of names) this.#topicSubscribers.remove(name)
  }

  setTarget(memberId: string, assignment: Assignment): void {
    this.#targets.set(memberId, assignment)
  }

  removeTarget(memberId: string): void {
    this.#targets.delete(memberId)
  }

  get subscribedTopicNames(): ReadonlySet<string> {
    return new Set(this.#topicSubscribers.keys())
  }

  isSubscribedTo(topic: string): boolean {
    return this.#topicSubscribers.has(topic)
  }

  /** True when all members want the same topics. */
  get isHomogeneous(): boolean {
    return this.#topicSubscribers.areAll(this.#members.size)
  }
}
