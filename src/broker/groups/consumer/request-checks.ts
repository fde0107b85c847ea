import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import type { GroupConfig } from '../group-config.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerGroupMember, LEAVE_STATIC_EPOCH } from './consumer-group-member.ts'
import type { ConsumerHeartbeatRequest } from './consumer-group-requests.ts'
import { isSubset } from './partition-epochs.ts'

/**
 * What is wrong with a request whatever the group is.
 * @throws BrokerError INVALID_REQUEST or UNSUPPORTED_ASSIGNOR
 */
export function checkRequest(request: ConsumerHeartbeatRequest, config: GroupConfig): void {
  const { memberEpoch, serverAssignor } = request
  if (request.isMemberIdRequired || memberEpoch > 0 || memberEpoch === -1) {
    refuseBlank(request.memberId, "MemberId can't be empty.")
  }
  refuseBlank(request.groupId, "GroupId can't be empty.")
  refuseBlank(request.instanceId, "InstanceId can't be empty.")
  refuseBlank(request.rackId, "RackId can't be empty.")
  if (memberEpoch === 0) checkJoin(request)
  else if (memberEpoch === LEAVE_STATIC_EPOCH && request.instanceId === null) {
    throw invalidRequest("InstanceId can't be null.")
  } else if (memberEpoch < LEAVE_STATIC_EPOCH) {
    throw invalidRequest('MemberEpoch is invalid.')
  }
  if (serverAssignor !== null && !config.consumerAssignors.includes(serverAssignor)) {
    throw new BrokerError(
      ErrorCode.UNSUPPORTED_ASSIGNOR,
      `ServerAssignor ${serverAssignor} is not supported. ` +
        `Supported assignors: ${config.consumerAssignors.join(', ')}.`,
    )
  }
}

function checkJoin(request: ConsumerHeartbeatRequest): void {
  if (request.rebalanceTimeoutMs === -1) {
    throw invalidRequest('RebalanceTimeoutMs must be provided in first request.')
  }
  if (request.ownedPartitions === null || request.ownedPartitions.length > 0) {
    throw invalidRequest('TopicPartitions must be empty when (re-)joining.')
  }
  if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null) {
    throw invalidRequest(
      'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.',
    )
  }
}

function refuseBlank(value: string | null, message: string): void {
  if (value !== null && value.trim() === '') throw invalidRequest(message)
}

const invalidRequest = (message: string): BrokerError =>
  new BrokerError(ErrorCode.INVALID_REQUEST, message)

/** @throws BrokerError GROUP_MAX_SIZE_REACHED for a member that would be one too many */
export function checkRoom(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string | null,
  { consumerMaxSize }: GroupConfig,
): void {
  if (group.staticMember(instanceId) !== undefined) return
  if (group.members.size < consumerMaxSize || group.members.has(memberId)) return
  throw new BrokerError(
    ErrorCode.GROUP_MAX_SIZE_REACHED,
    `The consumer group has reached its maximum capacity of ${consumerMaxSize} members.`,
  )
}

/**
 * The member that sends a heartbeat, undefined when it is new. An instance id that joins again may
 * come with another member id than the one it has: then the old one is given back.
 * @throws BrokerError UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH, FENCED_INSTANCE_ID or
 *   UNRELEASED_INSTANCE_ID
 */
export function checkMember(
  group: ConsumerGroup,
  memberId: string,
  request: ConsumerHeartbeatRequest,
): ConsumerGroupMember | undefined {
  const { instanceId, memberEpoch } = request
  const isJoin = memberEpoch === 0
  if (instanceId === null) {
    const member = group.members.get(memberId)
    if (member === undefined && !isJoin) throw unknownMember(group, memberId)
    if (member !== undefined) checkEpoch(member, request)
    return member
  }
  const member = isJoin ? group.staticMember(instanceId) : staticMember(group, memberId, instanceId)
  if (member === undefined) return group.members.get(memberId)
  if (!isJoin) {
    checkEpoch(member, request)
  } else if (member.classic === null && member.memberEpoch !== LEAVE_STATIC_EPOCH) {
    throw new BrokerError(
      ErrorCode.UNRELEASED_INSTANCE_ID,
      `Static member ${memberId} with instance id ${instanceId} cannot join the group because ` +
        `the instance id is owned by ${member.memberId} member.`,
    )
  }
  return member
}

/**
 * The member of that instance id, if it is of that member id.
 * @throws BrokerError UNKNOWN_MEMBER_ID or FENCED_INSTANCE_ID
 */
export function staticMember(
  group: ConsumerGroup,
  memberId: string,
  instanceId: string,
): ConsumerGroupMember {
  const member = group.staticMember(instanceId)
  if (member === undefined) {
    throw new BrokerError(ErrorCode.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`)
  }
  if (member.memberId !== memberId) {
    throw new BrokerError(
      ErrorCode.FENCED_INSTANCE_ID,
      `Static member ${memberId} with instance id ${instanceId} was fenced by member ` +
        `${member.memberId}.`,
    )
  }
  return member
}

export function unknownMember({ groupId }: ConsumerGroup, memberId: string): BrokerError {
  return new BrokerError(
    ErrorCode.UNKNOWN_MEMBER_ID,
    `Member ${memberId} is not a member of group ${groupId}.`,
  )
}

/**
 * The previous epoch is let pass for a member that missed the answer of the present one, which shows
 * in what it has.
 */
function checkEpoch(
  member: ConsumerGroupMember,
  { memberEpoch, ownedPartitions }: ConsumerHeartbeatRequest,
): void {
  if (memberEpoch === 0 || memberEpoch === member.memberEpoch) return
  const isPrevious = memberEpoch === member.previousMemberEpoch
  if (memberEpoch < member.memberEpoch && isPrevious && ownedPartitions !== null) {
    if (isSubset(ownedPartitions, member.assigned)) return
  }
  const size = memberEpoch > member.memberEpoch ? 'greater' : 'smaller'
  throw new BrokerError(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The consumer group member has a ${size} member epoch (${memberEpoch}) than the one known by ` +
      `the group coordinator (${member.memberEpoch}). ` +
      'The member must abandon all its partitions and rejoin.',
  )
}
