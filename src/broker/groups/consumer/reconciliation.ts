import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import type { Assignment } from '../assignors/assignment.ts'
import { type ConsumerGroupMember, MemberState } from './consumer-group-member.ts'
import {
  NO_PARTITIONS,
  overlaps,
  type PartitionEpochs,
  type TopicPartitions,
} from './partition-epochs.ts'

/** What decides the next step of a member towards its target. */
export interface Reconciliation {
  readonly member: ConsumerGroupMember
  readonly targetEpoch: number
  readonly target: Assignment
  /** Topics that the member wants now. */
  readonly subscribedTopicIds: ReadonlySet<string>
  readonly hasSubscriptionChanged: boolean
  /** What the member says it has; null: it did not say. */
  readonly owned: readonly TopicPartitions[] | null
  /** The member that has a partition, also while it has to give it up. */
  readonly ownerOf: (topicId: string, partition: number) => string | undefined
}

/**
 * The next state of a member, or the same when it can't move on. First it gives up what it shall not
 * have; when it has confirmed that, it goes to the epoch of the target and gets what is free; what
 * others still have follows when they let go. So no partition ever has two owners.
 * @throws BrokerError FENCED_MEMBER_EPOCH for a member in a state that this version does not know
 * Source: CurrentAssignmentBuilder of Kafka 4.4.
 */
export function reconcile(facts: Reconciliation): ConsumerGroupMember {
  const { member, owned, targetEpoch, hasSubscriptionChanged } = facts
  switch (member.state) {
    case MemberState.STABLE:
      if (member.memberEpoch !== targetEpoch) return nextAssignment(facts)
      return hasSubscriptionChanged ? withoutUnsubscribed(facts) : member
    case MemberState.UNREVOKED_PARTITIONS:
      if (!owns(owned, member.pendingRevocation)) return nextAssignment(facts)
      return hasSubscriptionChanged ? withoutUnsubscribed(facts) : member
    case MemberState.UNRELEASED_PARTITIONS:
      return nextAssignment(facts)
    case MemberState.UNKNOWN:
      if (owned === null || owned.length > 0) {
        throw new BrokerError(
          ErrorCode.FENCED_MEMBER_EPOCH,
          'The consumer group member is in a unknown state. ' +
            'The member must abandon all its partitions and rejoin.',
        )
      }
      return nextAssignment(facts)
  }
}

/** A member that does not say what it has may have anything. */
function owns(owned: readonly TopicPartitions[] | null, partitions: PartitionEpochs): boolean {
  return owned === null || overlaps(owned, partitions)
}

interface Split {
  readonly kept: Map<string, Map<number, number>>
  readonly revoked: Map<string, ReadonlyMap<number, number>>
  /** Shall be added, and nobody has them. */
  readonly free: readonly (readonly [topicId: string, partition: number])[]
  /** Others have partitions that shall be added. */
  readonly hasUnreleased: boolean
}

function nextAssignment(facts: Reconciliation): ConsumerGroupMember {
  const { member, targetEpoch, owned } = facts
  const { kept, revoked, free, hasUnreleased } = split(facts)
  if (revoked.size > 0 && owns(owned, revoked)) return awaitRevocation(member, kept, revoked)
  for (const [topicId, partition] of free) {
    const epochs = kept.get(topicId) ?? new Map<number, number>()
    kept.set(topicId, epochs.set(partition, targetEpoch))
  }
  return {
    ...member,
    state: hasUnreleased ? MemberState.UNRELEASED_PARTITIONS : MemberState.STABLE,
    memberEpoch: targetEpoch,
    previousMemberEpoch: member.memberEpoch,
    assigned: kept,
    pendingRevocation: NO_PARTITIONS,
  }
}

function split({ member, target, subscribedTopicIds, ownerOf }: Reconciliation): Split {
  const kept = new Map<string, Map<number, number>>()
  const revoked = new Map<string, Map<number, number>>()
  for (const [topicId, epochs] of member.assigned) {
    const wanted = subscribedTopicIds.has(topicId) ? target.get(topicId) : undefined
    for (const [partition, epoch] of epochs) {
      const side = wanted?.has(partition) === true ? kept : revoked
      const there = side.get(topicId) ?? new Map<number, number>()
      side.set(topicId, there.set(partition, epoch))
    }
  }
  const free: (readonly [string, number])[] = []
  let hasUnreleased = false
  for (const [topicId, partitions] of target) {
    if (!subscribedTopicIds.has(topicId)) continue
    for (const partition of partitions) {
      if (member.assigned.get(topicId)?.has(partition) === true) continue
      const owner = ownerOf(topicId, partition)
      if (owner === undefined || owner === member.memberId) free.push([topicId, partition])
      else hasUnreleased = true
    }
  }
  return { kept, revoked, free, hasUnreleased }
}

/** The member stays at its epoch until it has confirmed that it gave up the partitions. */
function awaitRevocation(
  member: ConsumerGroupMember,
  assigned: PartitionEpochs,
  pendingRevocation: PartitionEpochs,
): ConsumerGroupMember {
  return {
    ...member,
    state: MemberState.UNREVOKED_PARTITIONS,
    previousMemberEpoch: member.memberEpoch,
    assigned,
    pendingRevocation,
  }
}

/** Takes topics away that the member does not want any more, before there is a new target. */
function withoutUnsubscribed(facts: Reconciliation): ConsumerGroupMember {
  const { member, owned, subscribedTopicIds } = facts
  const assigned = new Map(member.assigned)
  const pending = new Map(member.pendingRevocation)
  for (const [topicId, epochs] of member.assigned) {
    if (subscribedTopicIds.has(topicId)) continue
    assigned.delete(topicId)
    pending.set(topicId, new Map([...(pending.get(topicId) ?? []), ...epochs]))
  }
  if (assigned.size === member.assigned.size) return member
  if (owns(owned, pending)) return awaitRevocation(member, assigned, pending)
  return { ...member, previousMemberEpoch: member.memberEpoch, assigned }
}
