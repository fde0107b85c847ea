import type { ErrorCode } from '../../../base/error-code.ts'
import type { GroupClient } from '../classic/classic-group-requests.ts'
import type { DescribedTopicPartitions } from '../consumer/consumer-group-requests.ts'
import type { TopicPartitions } from '../consumer/partition-epochs.ts'

export interface ShareHeartbeatRequest {
  readonly groupId: string
  readonly client: GroupClient
  readonly memberId: string
  /** 0: joins; -1: leaves. */
  readonly memberEpoch: number
  /** From here on null means: as before. */
  readonly rackId: string | null
  readonly subscribedTopicNames: readonly string[] | null
}

export interface ShareHeartbeatResult {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly memberId: string | null
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** null: as it was. */
  readonly assignment: readonly TopicPartitions[] | null
}

export function shareHeartbeatError(
  errorCode: ErrorCode,
  errorMessage: string | null,
): ShareHeartbeatResult {
  return {
    errorCode,
    errorMessage,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  }
}

/** State that the share coordinator has to make. */
export interface ShareInitialization {
  readonly groupId: string
  readonly stateEpoch: number
  readonly partitions: readonly {
    readonly topicId: string
    readonly partition: number
    readonly startOffset: number
  }[]
}

export interface DescribedShareMember {
  readonly memberId: string
  readonly rackId: string | null
  readonly memberEpoch: number
  readonly clientId: string
  readonly clientHost: string
  readonly subscribedTopicNames: readonly string[]
  readonly assignment: readonly DescribedTopicPartitions[]
}

export interface DescribedShareGroup {
  readonly groupId: string
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly state: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignorName: string
  readonly members: readonly DescribedShareMember[]
}

export function describeShareError(
  groupId: string,
  errorCode: ErrorCode,
  errorMessage: string | null,
): DescribedShareGroup {
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
