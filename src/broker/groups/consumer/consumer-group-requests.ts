import type { ErrorCode } from '../../../base/error-code.ts'
import type { GroupClient } from '../classic/classic-group-requests.ts'
import type { TopicPartitions } from './partition-epochs.ts'

export interface ConsumerHeartbeatRequest {
  readonly groupId: string
  readonly client: GroupClient
  readonly memberId: string
  /** Version 1 and later: the client makes the id (KIP-1082). */
  readonly isMemberIdRequired: boolean
  /** 0: joins; -1: leaves; -2: a static member that will be back. */
  readonly memberEpoch: number
  readonly instanceId: string | null
  /** From here on null, or -1, means: as before. */
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number
  readonly subscribedTopicNames: readonly string[] | null
  readonly subscribedTopicRegex: string | null
  readonly serverAssignor: string | null
  /** What the member has. */
  readonly ownedPartitions: readonly TopicPartitions[] | null
}

export interface ConsumerHeartbeatResult {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly memberId: string | null
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** null: as it was. */
  readonly assignment: readonly TopicPartitions[] | null
}

export function heartbeatError(
  errorCode: ErrorCode,
  errorMessage: string | null,
): ConsumerHeartbeatResult {
  return {
    errorCode,
    errorMessage,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  }
}

export interface DescribedTopicPartitions extends TopicPartitions {
  readonly topicName: string
}

export interface DescribedConsumerMember {
  readonly memberId: string
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly memberEpoch: number
  readonly clientId: string
  readonly clientHost: string
  readonly subscribedTopicNames: readonly string[]
  readonly subscribedTopicRegex: string | null
  readonly assignment: readonly DescribedTopicPartitions[]
  readonly targetAssignment: readonly DescribedTopicPartitions[]
  readonly isClassic: boolean
}

export interface DescribedConsumerGroup {
  readonly groupId: string
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly state: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignorName: string
  readonly members: readonly DescribedConsumerMember[]
}

export function describeConsumerError(
  groupId: string,
  errorCode: ErrorCode,
  errorMessage: string | null,
): DescribedConsumerGroup {
  return {
    groupId,
    errorCode,
    errorMessage,
    state: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  }
}
