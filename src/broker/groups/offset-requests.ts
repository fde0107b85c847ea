import type { ErrorCode } from '../../base/error-code.ts'

/** The id of topics whose id is not known: 22 characters base64url of zeros. */
export const NO_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

/** How far a group is in one partition. */
export interface CommittedOffset {
  readonly offset: number
  /** -1: unknown (KIP-320). */
  readonly leaderEpoch: number
  /** Text of the client; null became empty. */
  readonly metadata: string
  readonly commitTimestampMs: number
  /** When it expires whatever the group does, as old clients could ask; -1: never. */
  readonly expireTimestampMs: number
  readonly topicId: string
  /** Grows with each commit record: decides between a transaction's commit and a later plain one. */
  readonly order: number
}

interface OffsetCommitPartition {
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string | null
}

export interface OffsetCommitTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly OffsetCommitPartition[]
}

export interface OffsetCommitRequest {
  readonly groupId: string
  /** -1: from outside of group membership. */
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** -1: the broker's. */
  readonly retentionTimeMs: number
  /** KIP-848 clients know GROUP_ID_NOT_FOUND where older ones get ILLEGAL_GENERATION. */
  readonly knowsGroupIdNotFound: boolean
  readonly topics: readonly OffsetCommitTopic[]
}

/** Offsets that hold when the producer's transaction is committed (KIP-98, KIP-447). */
export interface TransactionalOffsetCommitRequest {
  readonly groupId: string
  readonly producerId: number
  readonly producerEpoch: number
  /** -1: the producer does not know the consumer's generation. */
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly topics: readonly OffsetCommitTopic[]
}

interface PartitionError {
  readonly partition: number
  readonly errorCode: ErrorCode
}

/** Outcomes in the order of the request. */
export interface TopicErrors {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly PartitionError[]
}

export interface OffsetFetchTopic {
  readonly name: string
  /** NO_TOPIC_ID: asked by name only. */
  readonly topicId: string
  readonly partitions: readonly number[]
}

export interface OffsetFetchRequest {
  readonly groupId: string
  /** null: all that the group has. */
  readonly topics: readonly OffsetFetchTopic[] | null
  /** KIP-447: offsets of open transactions give UNSTABLE_OFFSET_COMMIT. */
  readonly requireStable: boolean
  /** Of a member that speaks the consumer protocol (KIP-848); left out or null: of anybody. */
  readonly memberId?: string | null
  readonly memberEpoch?: number
}

export interface FetchedOffset {
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  readonly errorCode: ErrorCode
}

export interface FetchedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly FetchedOffset[]
}

export interface OffsetFetchResult {
  readonly errorCode: ErrorCode
  readonly topics: readonly FetchedTopic[]
}

interface OffsetDeleteTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export interface OffsetDeleteRequest {
  readonly groupId: string
  readonly topics: readonly OffsetDeleteTopic[]
}

export interface OffsetDeleteResult {
  readonly errorCode: ErrorCode
  readonly topics: readonly TopicErrors[]
}
