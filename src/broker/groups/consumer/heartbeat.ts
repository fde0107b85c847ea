import { ErrorCode } from '../../../base/error-code.ts'
import { checkRoom } from '../member-checks.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerGroupMember, newMember } from './consumer-group-member.ts'
import type {
  ConsumerHeartbeatRequest,
  ConsumerHeartbeatResult,
} from './consumer-group-requests.ts'
import type { ConsumerStep } from './consumer-step.ts'
import { leaveConsumerGroup } from './leave.ts'
import { scheduleMemberSession } from './member-timers.ts'
import { reconcileMember, replaceStaticMember, updateSubscription } from './member-updates.ts'
import { openConsumerGroup } from './open-consumer-group.ts'
import { isSameEpochs, topicPartitionsOf } from './partition-epochs.ts'
import { checkMember, checkRequest } from './request-checks.ts'
import { updateTarget } from './target-assignment.ts'
import { checkRegex } from './topic-regex.ts'

/**
 * ConsumerGroupHeartbeat (KIP-848): a member joins, leaves, says what it wants and what it has, and is
 * told what it shall have. All checks come first, so a refusal changes nothing.
 * @throws BrokerError with the code and the text of the answer
 * Source: GroupMetadataManager.consumerGroupHeartbeat of Kafka 4.4.
 */
export function consumerHeartbeat(
  request: ConsumerHeartbeatRequest,
  step: ConsumerStep,
): ConsumerHeartbeatResult {
  checkRequest(request, step.config)
  if (request.memberEpoch < 0) return leaveConsumerGroup(request, step)
  const { instanceId, ownedPartitions } = request
  const isJoin = request.memberEpoch === 0
  const opened = openConsumerGroup(request.groupId, isJoin, step)
  const { group } = opened
  checkRoom(group, request.memberId, instanceId, step.config.consumerMaxSize)
  const memberId = request.memberId === '' ? madeUpId(step) : request.memberId
  const known = checkMember(group, memberId, request)
  checkNewRegex(group, known, request.subscribedTopicRegex)

  opened.adopt()
  const isBack = isJoin && instanceId !== null && known?.instanceId === instanceId
  const old = isBack
    ? replaceStaticMember(group, known, memberId, step)
    : (known ?? newMember(memberId))
  const updated = withRequest(old, request)
  const hasChanged = updateSubscription(group, old, updated, step)
  updateTarget(group, step)
  const member = reconcileMember(group, updated, hasChanged, ownedPartitions, step)
  scheduleMemberSession(group, member, step)
  const isTold = isJoin || isFullRequest(request) || !isSameEpochs(old.assigned, member.assigned)
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    memberId,
    memberEpoch: member.memberEpoch,
    heartbeatIntervalMs: heartbeatIntervalOf(group, step),
    assignment: isTold ? topicPartitionsOf(member.assigned) : null,
  }
}

/** As Kafka makes ids: 22 characters base64url. */
export function madeUpId({ turn }: ConsumerStep): string {
  return Buffer.from(turn.uuid().replaceAll('-', ''), 'hex').toString('base64url')
}

function checkNewRegex(
  group: ConsumerGroup,
  known: ConsumerGroupMember | undefined,
  regex: string | null,
): void {
  if (regex === null || regex === '' || regex === known?.subscribedTopicRegex) return
  if (group.regexSubscriberCount(regex) === 0) checkRegex(regex)
}

/** What the request does not say stays. A member that speaks this protocol is no classic one. */
function withRequest(
  old: ConsumerGroupMember,
  request: ConsumerHeartbeatRequest,
): ConsumerGroupMember {
  const { rebalanceTimeoutMs, subscribedTopicNames } = request
  return {
    ...old,
    instanceId: request.instanceId ?? old.instanceId,
    rackId: request.rackId ?? old.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? old.rebalanceTimeoutMs : rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? old.serverAssignor,
    subscribedTopicNames:
      subscribedTopicNames === null
        ? old.subscribedTopicNames
        : [...new Set(subscribedTopicNames)].sort(),
    subscribedTopicRegex: request.subscribedTopicRegex ?? old.subscribedTopicRegex,
    clientId: request.client.clientId,
    clientHost: request.client.clientHost,
    classic: null,
  }
}

/** A member that says everything wants to be told everything. */
function isFullRequest(request: ConsumerHeartbeatRequest): boolean {
  const { subscribedTopicNames, subscribedTopicRegex } = request
  const saysTopics = subscribedTopicNames !== null || subscribedTopicRegex !== null
  return request.rebalanceTimeoutMs !== -1 && saysTopics && request.ownedPartitions !== null
}

function heartbeatIntervalOf({ groupId }: ConsumerGroup, { config }: ConsumerStep): number {
  return config.ofGroup(groupId).consumerHeartbeatIntervalMs ?? config.consumerHeartbeatIntervalMs
}
