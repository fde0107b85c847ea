import { NO_PARTITIONS, type PartitionEpochs } from './partition-epochs.ts'

/** How far a member is from its target assignment; the numbers are those of the records. */
export const MemberState = {
  /** It has what it shall have, at the epoch it is at. */
  STABLE: 0,
  /** It has to give up partitions, and was told so. */
  UNREVOKED_PARTITIONS: 1,
  /** Partitions that it shall get are still another member's. */
  UNRELEASED_PARTITIONS: 2,
  /** A state of a later version of Kafka. */
  UNKNOWN: 127,
} as const
export type MemberState = (typeof MemberState)[keyof typeof MemberState]

/** A member that speaks the classic protocol in a consumer group (KIP-848, online migration). */
export interface ClassicMemberMetadata {
  readonly sessionTimeoutMs: number
  readonly supportedProtocols: readonly { readonly name: string; readonly metadata: Buffer }[]
}

/** Epochs with a meaning of their own. */
export const LEAVE_EPOCH = -1
/** A static member that went away for a while: its partitions are kept for it. */
export const LEAVE_STATIC_EPOCH = -2

/** One member of a consumer group. It is replaced as a whole, never changed. */
export interface ConsumerGroupMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  /** Sorted, each once. */
  readonly subscribedTopicNames: readonly string[]
  /** null or empty: none. */
  readonly subscribedTopicRegex: string | null
  readonly serverAssignor: string | null
  readonly classic: ClassicMemberMetadata | null
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: MemberState
  readonly assigned: PartitionEpochs
  readonly pendingRevocation: PartitionEpochs
}

/** What a record or a request says of a member, without where it stands in the group. */
export type MemberSubscription = Omit<
  ConsumerGroupMember,
  'memberId' | 'memberEpoch' | 'previousMemberEpoch' | 'state' | 'assigned' | 'pendingRevocation'
>

/** A member that has just come. */
export function newMember(memberId: string): ConsumerGroupMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    rebalanceTimeoutMs: -1,
    subscribedTopicNames: [],
    subscribedTopicRegex: '',
    serverAssignor: null,
    classic: null,
    memberEpoch: 0,
    previousMemberEpoch: -1,
    state: MemberState.STABLE,
    assigned: NO_PARTITIONS,
    pendingRevocation: NO_PARTITIONS,
  }
}

/** The regex a member subscribes to, null when it has none. */
export function regexOf({ subscribedTopicRegex }: ConsumerGroupMember): string | null {
  return subscribedTopicRegex === '' ? null : subscribedTopicRegex
}

export function isReconciledTo(member: ConsumerGroupMember, epoch: number): boolean {
  return member.state === MemberState.STABLE && member.memberEpoch === epoch
}

export function isSameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index])
}

/** True when a record of both would be the same. */
export function isSameSubscription(a: MemberSubscription, b: MemberSubscription): boolean {
  return (
    a.instanceId === b.instanceId &&
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    isSameNames(a.subscribedTopicNames, b.subscribedTopicNames) &&
    a.subscribedTopicRegex === b.subscribedTopicRegex &&
    a.serverAssignor === b.serverAssignor &&
    isSameClassic(a.classic, b.classic)
  )
}

function isSameClassic(a: ClassicMemberMetadata | null, b: ClassicMemberMetadata | null): boolean {
  if (a === null || b === null) return a === b
  if (a.sessionTimeoutMs !== b.sessionTimeoutMs) return false
  if (a.supportedProtocols.length !== b.supportedProtocols.length) return false
  return a.supportedProtocols.every(({ name, metadata }, index) => {
    const other = b.supportedProtocols[index]
    return other !== undefined && other.name === name && other.metadata.equals(metadata)
  })
}
