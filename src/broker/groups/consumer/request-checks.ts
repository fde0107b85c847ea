import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import type { GroupConfig } from '../group-config.ts'
import {
  fencedEpoch,
  invalidRequest,
  refuseBlank,
  staticMember,
  unknownMember,
  unreleasedInstance,
} from '../member-checks.ts'
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
    refuseBlank(request.memberId, 'MemberId')
  }
  refuseBlank(request.groupId, 'GroupId')
  refuseBlank(request.instanceId, 'InstanceId')
  refuseBlank(request.rackId, 'RackId')
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
    if (member === undefined && !isJoin) throw unknownMember(group.groupId, memberId)
    if (member !== undefined) checkEpoch(group, member, request)
    return member
  }
  const member = isJoin ? group.staticMember(instanceId) : staticMember(group, memberId, instanceId)
  if (member === undefined) return group.members.get(memberId)
  if (!isJoin) {
    checkEpoch(group, member, request)
  } else if (member.classic === null && member.memberEpoch !== LEAVE_STATIC_EPOCH) {
    throw unreleasedInstance(member, memberId, instanceId)
  }
  return member
}

/**
 * The previous epoch is let pass for a member that missed the answer of the present one, which shows
 * in what it has.
 */
function checkEpoch(
  group: ConsumerGroup,
  member: ConsumerGroupMember,
  { memberEpoch, ownedPartitions }: ConsumerHeartbeatRequest,
): void {
  if (memberEpoch === 0 || memberEpoch === member.memberEpoch) return
  const isPrevious = memberEpoch === member.previousMemberEpoch
  if (memberEpoch < member.memberEpoch && isPrevious && ownedPartitions !== null) {
    if (isSubset(ownedPartitions, member.assigned)) return
  }
  throw fencedEpoch(group, member, memberEpoch)
}
