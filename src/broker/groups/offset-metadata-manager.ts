import { ErrorCode } from '../../base/error-code.ts'
import type { OffsetsRecord } from '../../records/internal/offsets-records.ts'
import { NO_PRODUCER_ID } from '../../records/record-batch.ts'
import type { RecordProducer } from '../coordinator/coordinator-log.ts'
import { ClassicGroup } from './classic/classic-group.ts'
import { checkOffsetCommit, keepSession } from './classic/classic-members.ts'
import {
  checkConsumerOffsetCommit,
  checkConsumerOffsetFetch,
  type OffsetCommitter,
} from './consumer/offset-checks.ts'
import type { Group } from './group.ts'
import { offsetCommitRecord, offsetTombstone } from './group-coordinator-records.ts'
import type { GroupMetadataManager } from './group-metadata-manager.ts'
import type { GroupStep } from './group-step.ts'
import { OffsetMap } from './offset-map.ts'
import {
  type CommittedOffset,
  type FetchedOffset,
  type FetchedTopic,
  NO_TOPIC_ID,
  type OffsetCommitRequest,
  type OffsetCommitTopic,
  type OffsetDeleteRequest,
  type OffsetDeleteResult,
  type OffsetFetchRequest,
  type TopicErrors,
  type TransactionalOffsetCommitRequest,
} from './offset-requests.ts'
import { checkStreamsOffsetCommit, checkStreamsOffsetFetch } from './streams/offset-checks.ts'

/** States of a classic group in which a commit counts as a heartbeat. */
const HAS_SESSIONS: ReadonlySet<string> = new Set(['Stable', 'PreparingRebalance'])

type OffsetCommitRecord = Extract<OffsetsRecord, { name: 'OffsetCommit' }>

/** Committed offsets of the groups of one shard. Pure state, as `GroupMetadataManager`. */
export class OffsetMetadataManager {
  readonly #groups: GroupMetadataManager
  readonly #offsets = new OffsetMap()
  /** By producer id: what open transactions committed, not valid before they end (KIP-98). */
  readonly #pending = new Map<number, OffsetMap>()
  /** Larger than the order of every commit so far: replay gives it as the record's offset. */
  #nextOrder = 0

  constructor(groups: GroupMetadataManager) {
    this.#groups = groups
  }

  commit(request: OffsetCommitRequest, step: GroupStep): TopicErrors[] {
    const errorCode = this.#checkCommit(request, step)
    if (errorCode !== ErrorCode.NONE) return errorsOf(request, errorCode)
    const group = this.#groups.ensureSimpleGroup(request.groupId)
    // Who commits is alive, also when it has no time for heartbeats.
    if (group instanceof ClassicGroup && HAS_SESSIONS.has(group.state)) {
      keepSession(group, request.memberId, step)
    }
    const expireTimestampMs =
      request.retentionTimeMs === -1 ? -1 : step.turn.nowMs + Math.max(request.retentionTimeMs, 0)
    return this.#write(request, expireTimestampMs, null, step)
  }

  /** What is committed holds when the transaction is committed; until then it is pending. */
  commitTransactional(request: TransactionalOffsetCommitRequest, step: GroupStep): TopicErrors[] {
    const group = this.#groups.group(request.groupId)
    const errorCode =
      group === undefined
        ? request.generationId >= 0
          ? ErrorCode.ILLEGAL_GENERATION
          : ErrorCode.NONE
        : this.#checkMember(group, request, true, step)
    if (errorCode !== ErrorCode.NONE) return errorsOf(request, errorCode)
    this.#groups.ensureSimpleGroup(request.groupId)
    const { producerId, producerEpoch } = request
    return this.#write(request, -1, { producerId, producerEpoch }, step)
  }

  #write(
    {
      groupId,
      topics,
    }: { readonly groupId: string; readonly topics: readonly OffsetCommitTopic[] },
    expireTimestampMs: number,
    producer: RecordProducer | null,
    step: GroupStep,
  ): TopicErrors[] {
    const { nowMs } = step.turn
    const offsets = this.#offsetsFor(producer?.producerId ?? NO_PRODUCER_ID)
    return topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map((commit) => {
        const { partition, offset, leaderEpoch } = commit
        const metadata = commit.metadata ?? ''
        if (metadata.length > step.config.offsetMetadataMaxBytes) {
          return { partition, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE }
        }
        const times = { commitTimestampMs: nowMs, expireTimestampMs }
        const committed = {
          offset,
          leaderEpoch,
          metadata,
          ...times,
          topicId,
          order: this.#nextOrder++,
        }
        step.turn.append(
          offsetCommitRecord(groupId, name, partition, committed),
          producer ?? undefined,
        )
        offsets.set(groupId, name, partition, committed)
        return { partition, errorCode: ErrorCode.NONE }
      }),
    }))
  }

  #checkMember(
    group: Group,
    request: OffsetCommitter,
    isTransactional: boolean,
    { config }: GroupStep,
  ): ErrorCode {
    if (group.type === 'classic') return checkOffsetCommit(group, request, isTransactional)
    if (group.type === 'share') return ErrorCode.GROUP_ID_NOT_FOUND
    const maxBytes = config.offsetMetadataMaxBytes
    if (group.type === 'streams') {
      return checkStreamsOffsetCommit(group, request, maxBytes, isTransactional)
    }
    return checkConsumerOffsetCommit(group, request, maxBytes, isTransactional)
  }

  #checkCommit(request: OffsetCommitRequest, step: GroupStep): ErrorCode {
    const group = this.#groups.group(request.groupId)
    if (group !== undefined) return this.#checkMember(group, request, false, step)
    if (request.generationId < 0) return ErrorCode.NONE
    return request.knowsGroupIdNotFound
      ? ErrorCode.GROUP_ID_NOT_FOUND
      : ErrorCode.ILLEGAL_GENERATION
  }

  /**
   * Every asked partition is in the answer; what nobody committed has offset -1.
   * @returns an error code when a member of a consumer group asks that is not at its epoch
   */
  fetch(request: OffsetFetchRequest): FetchedTopic[] | ErrorCode {
    const { groupId, topics, requireStable } = request
    const group = this.#groups.group(groupId)
    if (group?.type === 'share') return ErrorCode.GROUP_ID_NOT_FOUND
    const errorCode = checkFetcher(group, request)
    if (errorCode !== ErrorCode.NONE) return errorCode
    const find = (name: string, topicId: string, partition: number): FetchedOffset => {
      if (requireStable && this.#isPending(groupId, name, partition)) {
        return fetched(partition, undefined, ErrorCode.UNSTABLE_OFFSET_COMMIT)
      }
      const committed = this.#offsets.get(groupId, name, partition)
      const isOther = committed !== undefined && isOtherTopic(committed.topicId, topicId)
      return fetched(partition, isOther ? undefined : committed)
    }
    if (topics !== null) {
      return topics.map(({ name, topicId, partitions }) => ({
        name,
        topicId,
        partitions: partitions.map((partition) => find(name, topicId, partition)),
      }))
    }
    return [...this.#offsets.topicsOf(groupId)].map(([name, partitions]) => ({
      name,
      topicId: NO_TOPIC_ID,
      partitions: [...partitions.keys()].map((partition) => find(name, NO_TOPIC_ID, partition)),
    }))
  }

  delete({ groupId, topics }: OffsetDeleteRequest, step: GroupStep): OffsetDeleteResult {
    const group = this.#groups.group(groupId)
    if (group === undefined || group.type === 'share') {
      return { errorCode: ErrorCode.GROUP_ID_NOT_FOUND, topics: [] }
    }
    if (!group.isEmpty && !group.usesConsumerProtocol) {
      return { errorCode: ErrorCode.NON_EMPTY_GROUP, topics: [] }
    }
    const outcomes = topics.map(({ name, partitions }) => {
      const isKept = group.isSubscribedTo(name)
      const errorCode = isKept ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE
      return {
        name,
        topicId: NO_TOPIC_ID,
        partitions: partitions.map((partition) => {
          if (!isKept) this.#remove(groupId, name, partition, step)
          return { partition, errorCode }
        }),
      }
    })
    return { errorCode: ErrorCode.NONE, topics: outcomes }
  }

  /** All offsets of a group that goes away. */
  deleteAll(groupId: string, step: GroupStep): void {
    for (const offsets of [this.#offsets, ...this.#pending.values()]) {
      for (const [topic, partitions] of [...offsets.topicsOf(groupId)]) {
        for (const partition of [...partitions.keys()])
          this.#remove(groupId, topic, partition, step)
      }
    }
  }

  /** The topic is gone: one of the same name that comes later starts without offsets. */
  topicDeleted(topic: string, step: GroupStep): void {
    for (const { groupId } of this.#groups.groups) {
      for (const offsets of [this.#offsets, ...this.#pending.values()]) {
        for (const partition of [...(offsets.partitionsOf(groupId, topic)?.keys() ?? [])]) {
          this.#remove(groupId, topic, partition, step)
        }
      }
    }
  }

  /** @returns true when the group has no offsets left */
  expire(group: Group, step: GroupStep): boolean {
    const { groupId } = group
    const retentionStart = retentionStartOf(group)
    for (const [topic, partitions] of [...this.#offsets.topicsOf(groupId)]) {
      if (retentionStart === null || group.isSubscribedTo(topic)) continue
      for (const [partition, committed] of [...partitions]) {
        if (this.#isPending(groupId, topic, partition)) continue
        const { nowMs } = step.turn
        const isExpired =
          committed.expireTimestampMs === -1
            ? nowMs - retentionStart(committed) >= step.config.offsetsRetentionMs
            : nowMs >= committed.expireTimestampMs
        if (isExpired) this.#remove(groupId, topic, partition, step)
      }
    }
    const hasPending = [...this.#pending.values()].some((offsets) => offsets.hasGroup(groupId))
    return !this.#offsets.hasGroup(groupId) && !hasPending
  }

  replay({ key, value }: OffsetCommitRecord, order: number, producerId: number): void {
    const { group, topic, partition } = key
    if (value === null) {
      this.#forget(group, topic, partition)
      return
    }
    this.#groups.ensureSimpleGroup(group)
    const committed: CommittedOffset = {
      offset: value.offset,
      leaderEpoch: value.leaderEpoch,
      metadata: value.metadata,
      commitTimestampMs: value.commitTimestamp,
      expireTimestampMs: value.expireTimestamp,
      topicId: value.topicId,
      order,
    }
    this.#nextOrder = Math.max(this.#nextOrder, order + 1)
    this.#offsetsFor(producerId).set(group, topic, partition, committed)
  }

  /** A plain commit that came after the transaction's stays (KAFKA-5259 of compaction). */
  transactionEnded(producerId: number, isCommitted: boolean): void {
    const pending = this.#pending.get(producerId)
    this.#pending.delete(producerId)
    if (pending === undefined || !isCommitted) return
    for (const [group, topic, partition, committed] of pending.entries()) {
      const known = this.#offsets.get(group, topic, partition)
      if (known === undefined || known.order < committed.order) {
        this.#offsets.set(group, topic, partition, committed)
      }
    }
  }

  /** Everything, for tests and tools. */
  entries(): Iterable<readonly [string, string, number, CommittedOffset]> {
    return this.#offsets.entries()
  }

  #offsetsFor(producerId: number): OffsetMap {
    if (producerId === NO_PRODUCER_ID) return this.#offsets
    const known = this.#pending.get(producerId)
    if (known !== undefined) return known
    const made = new OffsetMap()
    this.#pending.set(producerId, made)
    return made
  }

  #isPending(groupId: string, topic: string, partition: number): boolean {
    for (const offsets of this.#pending.values()) {
      if (offsets.get(groupId, topic, partition) !== undefined) return true
    }
    return false
  }

  #remove(groupId: string, topic: string, partition: number, { turn }: GroupStep): void {
    const isKnown = this.#offsets.get(groupId, topic, partition) !== undefined
    if (!isKnown && !this.#isPending(groupId, topic, partition)) return
    turn.append(offsetTombstone(groupId, topic, partition))
    this.#forget(groupId, topic, partition)
  }

  #forget(groupId: string, topic: string, partition: number): void {
    this.#offsets.delete(groupId, topic, partition)
    for (const offsets of this.#pending.values()) offsets.delete(groupId, topic, partition)
  }
}

/** All partitions of a commit with one outcome. */
export function errorsOf(
  { topics }: { readonly topics: readonly OffsetCommitTopic[] },
  errorCode: ErrorCode,
): TopicErrors[] {
  return topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ partition }) => ({ partition, errorCode })),
  }))
}

function fetched(
  partition: number,
  committed: CommittedOffset | undefined,
  errorCode: ErrorCode = ErrorCode.NONE,
): FetchedOffset {
  return {
    partition,
    offset: committed?.offset ?? -1,
    leaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? '',
    errorCode,
  }
}

/** The offset belongs to an earlier topic of the same name. */
const isOtherTopic = (committedId: string, askedId: string): boolean =>
  committedId !== NO_TOPIC_ID && askedId !== NO_TOPIC_ID && committedId !== askedId

/**
 * Since when an offset counts as unused; null: it is in use. A group without protocol counts from
 * the commit, an empty one from when it became empty, a stable one (for topics it left) from the
 * commit, one of the consumer protocol (for topics it left) from the commit. Source: KIP-211, KIP-496.
 */
function retentionStartOf(group: Group): ((committed: CommittedOffset) => number) | null {
  const byCommit = ({ commitTimestampMs }: CommittedOffset): number => commitTimestampMs
  if (group.type !== 'classic' || group.protocolType === null) return byCommit
  if (group.isEmpty) {
    return group.stateTimestampMs === -1 ? byCommit : () => group.stateTimestampMs
  }
  return group.state === 'Stable' && group.subscribedTopics !== null ? byCommit : null
}

/** Members of groups with epochs have to be at theirs. */
function checkFetcher(group: Group | undefined, request: OffsetFetchRequest): ErrorCode {
  if (group?.type === 'consumer') return checkConsumerOffsetFetch(group, request)
  if (group?.type === 'streams') return checkStreamsOffsetFetch(group, request)
  return ErrorCode.NONE
}
