import { type Assignment, NO_ASSIGNMENT } from '../assignors/assignment.ts'
import { type ConsumerGroupMember, isReconciledTo, regexOf } from './consumer-group-member.ts'
import { Counts } from './counts.ts'
import type { PartitionEpochs } from './partition-epochs.ts'

/** The states of a consumer group, as ConsumerGroupDescribe and ListGroups name them. */
type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** The topics that a regular expression matched, at a version of the metadata. */
export interface ResolvedRegex {
  readonly topics: ReadonlySet<string>
  readonly version: number
  readonly timestampMs: number
}

/** Both epochs of a group that has no records of its own yet. */
const FIRST_EPOCH = 1

/**
 * A group of the consumer protocol (KIP-848): its members, what they shall have (the target) and
 * what they have. Pure state; the same calls rebuild it from its records.
 */
export class ConsumerGroup {
  readonly type = 'consumer'
  readonly protocolType = 'consumer'
  readonly usesConsumerProtocol = true
  readonly groupId: string
  /** Goes up when a new target assignment is needed. */
  groupEpoch = FIRST_EPOCH
  /** Of the topics that members subscribe to, as they were at the group epoch. */
  metadataHash = 0n
  /** The group epoch that the target assignment was made for. */
  assignmentEpoch = FIRST_EPOCH
  assignmentTimestampMs = 0
  /** Kafka before 4.1 wrote a record about the topics; it is taken back at the next occasion. */
  hasPartitionMetadataRecord = false
  /** When the topics have to be looked at again. Not in the records: 0 after a restart. */
  metadataRefreshDeadlineMs = 0
  /** Classic members that were told to rejoin, and have a timer for it. */
  readonly membersToRejoin = new Set<string>()
  readonly #members = new Map<string, ConsumerGroupMember>()
  readonly #targets = new Map<string, Assignment>()
  readonly #regexes = new Map<string, ResolvedRegex>()
  /** Member id of each static member. */
  readonly #staticMembers = new Map<string, string>()
  /** By topic id and partition: the member that has it, also while it has to give it up. */
  readonly #owners = new Map<string, Map<number, string>>()
  readonly #topicSubscribers = new Counts()
  readonly #topicRegexes = new Counts()
  readonly #regexSubscribers = new Counts()
  readonly #assignors = new Counts()
  readonly #classicProtocols = new Counts()
  #classicMemberCount = 0

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  get state(): ConsumerGroupState {
    if (this.isEmpty) return 'Empty'
    if (this.groupEpoch > this.assignmentEpoch) return 'Assigning'
    for (const member of this.#members.values()) {
      if (!isReconciledTo(member, this.assignmentEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  get members(): ReadonlyMap<string, ConsumerGroupMember> {
    return this.#members
  }

  get targets(): ReadonlyMap<string, Assignment> {
    return this.#targets
  }

  get regexes(): ReadonlyMap<string, ResolvedRegex> {
    return this.#regexes
  }

  get classicMemberCount(): number {
    return this.#classicMemberCount
  }

  staticMember(instanceId: string | null): ConsumerGroupMember | undefined {
    if (instanceId === null) return undefined
    return this.#members.get(this.#staticMembers.get(instanceId) ?? '')
  }

  target(memberId: string): Assignment {
    return this.#targets.get(memberId) ?? NO_ASSIGNMENT
  }

  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition)
  }

  /** Adds a member, or puts it in the place of what it was. */
  putMember(member: ConsumerGroupMember): void {
    const old = this.#members.get(member.memberId)
    if (old !== undefined) this.#forget(old)
    this.#members.set(member.memberId, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.memberId)
    for (const name of member.subscribedTopicNames) this.#topicSubscribers.add(name)
    const regex = regexOf(member)
    if (regex !== null) this.#regexSubscribers.add(regex)
    if (member.serverAssignor !== null) this.#assignors.add(member.serverAssignor)
    if (member.classic !== null) {
      this.#classicMemberCount++
      for (const { name } of member.classic.supportedProtocols) this.#classicProtocols.add(name)
    }
    this.#own(member.assigned, member.memberId)
    this.#own(member.pendingRevocation, member.memberId)
  }

  removeMember(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) return
    this.#forget(member)
    this.#members.delete(memberId)
    this.membersToRejoin.delete(memberId)
  }

  #forget(member: ConsumerGroupMember): void {
    const { memberId, instanceId } = member
    if (instanceId !== null && this.#staticMembers.get(instanceId) === memberId) {
      this.#staticMembers.delete(instanceId)
    }
    for (const name of member.subscribedTopicNames) this.#topicSubscribers.remove(name)
    const regex = regexOf(member)
    if (regex !== null) this.#regexSubscribers.remove(regex)
    if (member.serverAssignor !== null) this.#assignors.remove(member.serverAssignor)
    if (member.classic !== null) {
      this.#classicMemberCount--
      for (const { name } of member.classic.supportedProtocols) this.#classicProtocols.remove(name)
    }
    this.#disown(member.assigned, memberId)
    this.#disown(member.pendingRevocation, memberId)
  }

  #own(partitions: PartitionEpochs, memberId: string): void {
    for (const [topicId, epochs] of partitions) {
      const owners = this.#owners.get(topicId) ?? new Map<number, string>()
      for (const partition of epochs.keys()) owners.set(partition, memberId)
      this.#owners.set(topicId, owners)
    }
  }

  #disown(partitions: PartitionEpochs, memberId: string): void {
    for (const [topicId, epochs] of partitions) {
      const owners = this.#owners.get(topicId)
      if (owners === undefined) continue
      for (const partition of epochs.keys()) {
        if (owners.get(partition) === memberId) owners.delete(partition)
      }
      if (owners.size === 0) this.#owners.delete(topicId)
    }
  }

  setTarget(memberId: string, assignment: Assignment): void {
    this.#targets.set(memberId, assignment)
  }

  removeTarget(memberId: string): void {
    this.#targets.delete(memberId)
  }

  putRegex(regex: string, resolved: ResolvedRegex): void {
    this.removeRegex(regex)
    this.#regexes.set(regex, resolved)
    for (const topic of resolved.topics) this.#topicRegexes.add(topic)
  }

  removeRegex(regex: string): void {
    for (const topic of this.#regexes.get(regex)?.topics ?? []) this.#topicRegexes.remove(topic)
    this.#regexes.delete(regex)
  }

  /** Members subscribed to the regex. */
  regexSubscriberCount(regex: string): number {
    return this.#regexSubscribers.get(regex)
  }

  get subscribedRegexes(): ReadonlySet<string> {
    return new Set(this.#regexSubscribers.keys())
  }

  /** Topics that a member names or a regex matched. */
  get subscribedTopicNames(): ReadonlySet<string> {
    return new Set([...this.#topicSubscribers.keys(), ...this.#topicRegexes.keys()])
  }

  isSubscribedTo(topic: string): boolean {
    return this.#topicSubscribers.has(topic) || this.#topicRegexes.has(topic)
  }

  /** Names and matches of one member. */
  topicNamesOf(member: ConsumerGroupMember): Set<string> {
    const regex = regexOf(member)
    const matched = regex === null ? [] : (this.#regexes.get(regex)?.topics ?? [])
    return new Set([...member.subscribedTopicNames, ...matched])
  }

  /** True when all members want the same topics. */
  get isHomogeneous(): boolean {
    const count = this.#members.size
    const [regex, ...others] = this.#regexSubscribers.keys()
    if (regex === undefined) return this.#topicSubscribers.areAll(count)
    if (others.length > 0 || this.#regexSubscribers.get(regex) !== count) return false
    return [...this.#topicSubscribers.keys()].length === 0
  }

  /** The assignor that most members ask for; null: none asks. */
  get preferredAssignor(): string | null {
    return this.#assignors.mostFrequent()
  }

  /** True when somebody who offers these could be in, beside the classic members. */
  supportsClassicProtocols(protocolType: string, names: readonly string[]): boolean {
    if (protocolType !== this.protocolType) return false
    if (this.isEmpty) return names.length > 0
    return names.some((name) => this.#classicProtocols.get(name) === this.#classicMemberCount)
  }
}
