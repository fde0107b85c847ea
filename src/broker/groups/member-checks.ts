import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError } from '../../base/errors.ts'
import type { OffsetCommitTopic, OffsetFetchRequest } from './offset-requests.ts'

/** What is refused alike in all groups whose assignments the broker makes. */

interface EpochMember {
  readonly memberId: string
  readonly memberEpoch: number
}

interface MemberGroup<M extends EpochMember> {
  readonly groupId: string
  readonly type: 'consumer' | 'share' | 'streams'
  readonly members: ReadonlyMap<string, M>
  /** Share groups know no instance ids. */
  readonly staticMember?: (instanceId: string | null) => M | undefined
}

export function invalidRequest(message: string): BrokerError {
  return new BrokerError(ErrorCode.INVALID_REQUEST, message)
}

/** @param name as the answer says it. @throws BrokerError INVALID_REQUEST */
export function refuseBlank(value: string | null, name: string): void {
  if (value !== null && value.trim() === '') throw invalidRequest(`${name} can't be empty.`)
}

/** @throws BrokerError GROUP_MAX_SIZE_REACHED for a member that would be one too many */
export function checkRoom<M extends EpochMember>(
  group: MemberGroup<M>,
  memberId: string,
  instanceId: string | null,
  maxSize: number,
): void {
  if (group.staticMember?.(instanceId) !== undefined) return
  if (group.members.size < maxSize || group.members.has(memberId)) return
  throw new BrokerError(
    ErrorCode.GROUP_MAX_SIZE_REACHED,
    `The ${group.type} group has reached its maximum capacity of ${maxSize} members.`,
  )
}

/**
 * The member of that instance id, if it is of that member id.
 * @throws BrokerError UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID
 */
export function staticMember<M extends EpochMember>(
  group: MemberGroup<M>,
  memberId: string,
  instanceId: string,
): M {
  const member = group.staticMember?.(instanceId)
  if (member === undefined) {
    throw new BrokerError(ErrorCode.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`)
  }
  if (member.memberId === memberId) return member
  throw new BrokerError(
    ErrorCode.FENCED_INSTANCE_ID,
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ` +
      `${member.memberId}.`,
  )
}

export function unreleasedInstance(
  owner: EpochMember,
  memberId: string,
  instanceId: string,
): BrokerError {
  return new BrokerError(
    ErrorCode.UNRELEASED_INSTANCE_ID,
    `Static member ${memberId} with instance id ${instanceId} cannot join the group because the ` +
      `instance id is owned by ${owner.memberId} member.`,
  )
}

export function unknownMember(groupId: string, memberId: string): BrokerError {
  const text = `Member ${memberId} is not a member of group ${groupId}.`
  return new BrokerError(ErrorCode.UNKNOWN_MEMBER_ID, text)
}

/** @param butAlso what else the epoch could have been, and is not */
export function fencedEpoch<M extends EpochMember>(
  { type }: MemberGroup<M>,
  member: M,
  memberEpoch: number,
  butAlso = '',
): BrokerError {
  const size = memberEpoch > member.memberEpoch ? 'greater' : 'smaller'
  return new BrokerError(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The ${type} group member has a ${size} member epoch (${memberEpoch}) than the one known by ` +
      `the group coordinator (${member.memberEpoch})${butAlso}. ` +
      'The member must abandon all its partitions and rejoin.',
  )
}

/** NONE for who is no member and does not say it is one. */
export function checkOffsetFetch<M extends EpochMember>(
  group: MemberGroup<M>,
  { memberId = null, memberEpoch = -1 }: OffsetFetchRequest,
  staleCodeOf: (member: M) => ErrorCode,
): ErrorCode {
  if (memberId === null && memberEpoch < 0) return ErrorCode.NONE
  const member = group.members.get(memberId ?? '')
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  return memberEpoch === member.memberEpoch ? ErrorCode.NONE : staleCodeOf(member)
}

/**
 * Whether a member has had all that it commits since an old epoch (KIP-1251).
 * @param sinceOf the epoch from which on it has had a partition; undefined: it has not
 */
export function hasHadSince(
  epoch: number,
  topics: readonly OffsetCommitTopic[],
  metadataMaxBytes: number,
  sinceOf: (topic: OffsetCommitTopic, partition: number) => number | undefined,
): boolean {
  return topics.every((topic) =>
    topic.partitions.every(({ partition, metadata }) => {
      // That one is refused by itself.
      if ((metadata?.length ?? 0) > metadataMaxBytes) return true
      const since = sinceOf(topic, partition)
      return since !== undefined && epoch >= since
    }),
  )
}
