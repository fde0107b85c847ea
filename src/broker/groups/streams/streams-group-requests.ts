import type { ErrorCode } from '../../../base/error-code.ts'
import type { GroupClient } from '../classic/classic-group-requests.ts'
import type { Endpoint } from './streams-group-member.ts'
import type { StreamsStatus } from './streams-status.ts'
import type { Subtopology, TopologyTopic } from './streams-topology.ts'
import type { TaskList } from './tasks.ts'

export interface TaskOffset {
  readonly subtopologyId: string
  readonly partition: number
  readonly offset: number
}

export interface StreamsHeartbeatRequest {
  readonly groupId: string
  readonly client: GroupClient
  readonly memberId: string
  /** 0: joins; -1: leaves; -2: a static member that will be back. */
  readonly memberEpoch: number
  /** Which news of endpoints the member has. */
  readonly endpointEpoch: number
  readonly instanceId: string | null
  /** From here on null, or -1, means: as before. */
  readonly rackId: string | null
  readonly rebalanceTimeoutMs: number
  /** Only of a member that joins. */
  readonly topology: {
    readonly epoch: number
    readonly subtopologies: readonly Subtopology[]
  } | null
  readonly activeTasks: readonly TaskList[] | null
  readonly standbyTasks: readonly TaskList[] | null
  readonly warmupTasks: readonly TaskList[] | null
  readonly processId: string | null
  readonly userEndpoint: Endpoint | null
  readonly clientTags: readonly { readonly key: string; readonly value: string }[] | null
  readonly taskOffsets: readonly TaskOffset[] | null
  readonly taskEndOffsets: readonly TaskOffset[] | null
  /** The member can't go on, and no other would do better. */
  readonly isShutdownRequested: boolean
  /** Version 1 and later: the member understands what it is told of tags (KIP-1331). */
  readonly knowsClientTagStatus: boolean
}

export interface EndpointPartitions {
  readonly userEndpoint: Endpoint
  readonly activePartitions: readonly TopicPartitions[]
  readonly standbyPartitions: readonly TopicPartitions[]
}

export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

export interface StreamsHeartbeatResult {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly memberId: string
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  readonly acceptableRecoveryLag: number
  readonly taskOffsetIntervalMs: number
  readonly status: readonly StreamsStatus[]
  /** What the member has from now on; null: as it was. */
  readonly tasks: {
    readonly active: readonly TaskList[]
    readonly standby: readonly TaskList[]
    readonly warmup: readonly TaskList[]
  } | null
  readonly endpointEpoch: number
  /** null: as it was. */
  readonly endpoints: readonly EndpointPartitions[] | null
}

/** The answer, and internal topics that have to be created after it. */
export interface StreamsHeartbeatOutcome {
  readonly result: StreamsHeartbeatResult
  readonly missingTopics: readonly TopologyTopic[]
}

/** Says nothing but who it is for. */
export function plainStreamsResult(memberId: string, memberEpoch: number): StreamsHeartbeatResult {
  return {
    errorCode: 0,
    errorMessage: null,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: 0,
    acceptableRecoveryLag: -1,
    taskOffsetIntervalMs: 0,
    status: [],
    tasks: null,
    endpointEpoch: 0,
    endpoints: null,
  }
}

export function streamsHeartbeatError(
  errorCode: ErrorCode,
  errorMessage: string | null,
): StreamsHeartbeatOutcome {
  const result = { ...plainStreamsResult('', 0), errorCode, errorMessage }
  return { result, missingTopics: [] }
}

export interface DescribedTasks {
  readonly active: readonly TaskList[]
  readonly standby: readonly TaskList[]
  readonly warmup: readonly TaskList[]
}

export interface DescribedStreamsMember {
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly topologyEpoch: number
  readonly processId: string
  readonly userEndpoint: Endpoint | null
  readonly clientTags: readonly { readonly key: string; readonly value: string }[]
  readonly taskOffsets: readonly TaskOffset[]
  readonly taskEndOffsets: readonly TaskOffset[]
  readonly assignment: DescribedTasks
  readonly targetAssignment: DescribedTasks
}

export type DescribedSubtopology = Omit<Subtopology, 'sourceTopicRegex' | 'copartitionGroups'>

export interface DescribedStreamsGroup {
  readonly groupId: string
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly state: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignorName: string | null
  readonly topology: {
    readonly epoch: number
    readonly subtopologies: readonly DescribedSubtopology[]
  } | null
  readonly members: readonly DescribedStreamsMember[]
}

export function describeStreamsError(
  groupId: string,
  errorCode: ErrorCode,
  errorMessage: string | null,
): DescribedStreamsGroup {
  return {
    groupId,
    errorCode,
    errorMessage,
    state: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: null,
    topology: null,
    members: [],
  }
}
