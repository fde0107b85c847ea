import { ErrorCode } from '../../base/error-code.ts'
import type { MetadataChange, MetadataListener } from '../../ports/metadata-store.ts'
import type { EndTxnMarker } from '../../records/control-batch.ts'
import type { Reply } from '../coordinator/coordinator-turn.ts'
import { OFFSETS_TOPIC, partitionForKey } from '../coordinator/internal-topics.ts'
import {
  type DescribedGroup,
  describeError,
  type HeartbeatRequest,
  type JoinGroupRequest,
  type JoinGroupResult,
  joinError,
  type LeaveGroupRequest,
  type LeaveGroupResult,
  type SyncGroupRequest,
  type SyncGroupResult,
  syncError,
} from './classic/classic-group-requests.ts'
import {
  type ConsumerHeartbeatRequest,
  type ConsumerHeartbeatResult,
  type DescribedConsumerGroup,
  describeConsumerError,
  heartbeatError,
} from './consumer/consumer-group-requests.ts'
import type { GroupCoordinatorShard } from './group-coordinator-shard.ts'
import type { ListedGroup } from './group-metadata-manager.ts'
import {
  askShard,
  type GroupCoordinatorOptions,
  GroupShards,
  type GroupTurn,
} from './group-shards.ts'
import {
  bytesOfHeartbeat,
  bytesOfJoin,
  bytesOfStreamsHeartbeat,
  bytesOfSync,
  MemberMemory,
} from './member-memory.ts'
import { errorsOf } from './offset-metadata-manager.ts'
import {
  NO_TOPIC_ID,
  type OffsetCommitRequest,
  type OffsetDeleteRequest,
  type OffsetDeleteResult,
  type OffsetFetchRequest,
  type OffsetFetchResult,
  type TopicErrors,
  type TransactionalOffsetCommitRequest,
} from './offset-requests.ts'
import { type ShareHeartbeatRequest, shareHeartbeatError } from './share/share-group-requests.ts'
import type { ShareHeartbeatOutcome } from './share/share-heartbeat.ts'
import {
  type DescribedStreamsGroup,
  describeStreamsError,
  type StreamsHeartbeatOutcome,
  type StreamsHeartbeatRequest,
  streamsHeartbeatError,
} from './streams/streams-group-requests.ts'

export interface ListGroupsResult {
  readonly errorCode: ErrorCode
  readonly groups: readonly ListedGroup[]
}

/** A member that joins can only be told in words what is used up. */
const NO_MEMORY =
  'The members of all groups have used up spool.max.group.member.bytes of this broker.'

/**
 * The coordinator of consumer groups and their offsets, on all partitions of `__consumer_offsets`
 * that this broker leads. Answers come when what they say is durable.
 */
export class GroupCoordinator implements MetadataListener {
  readonly #options: GroupCoordinatorOptions
  readonly #shards: GroupShards
  readonly #memory: MemberMemory

  constructor(options: GroupCoordinatorOptions) {
    const { config, clock, logger } = options
    this.#options = options
    this.#shards = new GroupShards(options)
    this.#memory = new MemberMemory({
      maxBytes: () => config().maxMemberBytes,
      groups: () => this.#shards.groups(),
      nowMs: () => clock.monotonicMs(),
      logger,
    })
  }

  /** Loads all shards, if the topic exists; call it once its logs are open. */
  start(): void {
    const count = this.#options.topics.partitionCount(OFFSETS_TOPIC)
    for (let index = 0; index < count; index++) this.#shards.at(index)
  }

  /** True while a shard still replays its log. */
  get isLoading(): boolean {
    return this.#shards.isLoading
  }

  /** NONE when this broker coordinates the group, COORDINATOR_NOT_AVAILABLE until it can. */
  locate(_groupId: string): ErrorCode {
    const state = this.#options.topics.ensure(OFFSETS_TOPIC)
    return state === 'ready' ? ErrorCode.NONE : ErrorCode.COORDINATOR_NOT_AVAILABLE
  }

  /** GROUP_MAX_SIZE_REACHED also when the members of all groups have used up their memory. */
  joinGroup(request: JoinGroupRequest): Promise<JoinGroupResult> {
    if (!this.#memory.admit(bytesOfJoin(request))) {
      return Promise.resolve(joinError(ErrorCode.GROUP_MAX_SIZE_REACHED, request.memberId))
    }
    return this.run<JoinGroupResult>(
      request.groupId,
      (code) => joinError(code, request.memberId),
      (machine, turn, reply) => machine.join(request, reply, turn),
    )
  }

  syncGroup(request: SyncGroupRequest): Promise<SyncGroupResult> {
    if (!this.#memory.admit(bytesOfSync(request))) {
      return Promise.resolve(syncError(ErrorCode.GROUP_MAX_SIZE_REACHED))
    }
    return this.run<SyncGroupResult>(request.groupId, syncError, (machine, turn, reply) =>
      machine.sync(request, reply, turn),
    )
  }

  /** While the group loads nobody is thrown out, so a heartbeat is fine. */
  heartbeat(request: HeartbeatRequest): Promise<ErrorCode> {
    return this.run<ErrorCode>(
      request.groupId,
      (code) => (code === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : code),
      (machine, turn, reply) => machine.heartbeat(request, reply, turn),
    )
  }

  leaveGroup(request: LeaveGroupRequest): Promise<LeaveGroupResult> {
    return this.run<LeaveGroupResult>(
      request.groupId,
      (errorCode) => ({ errorCode, members: [] }),
      (machine, turn, reply) => machine.leave(request, reply, turn),
    )
  }

  /** A member of the consumer protocol (KIP-848) joins, beats or leaves. */
  consumerHeartbeat(request: ConsumerHeartbeatRequest): Promise<ConsumerHeartbeatResult> {
    if (!this.#memory.admit(bytesOfHeartbeat(request))) {
      return Promise.resolve(heartbeatError(ErrorCode.GROUP_MAX_SIZE_REACHED, NO_MEMORY))
    }
    return this.run<ConsumerHeartbeatResult>(
      request.groupId,
      (code) => heartbeatError(code, null),
      (machine, turn, reply) => machine.consumerHeartbeat(request, reply, turn),
    )
  }

  /** A member of a share group (KIP-932) joins, beats or leaves. */
  shareHeartbeat(request: ShareHeartbeatRequest): Promise<ShareHeartbeatOutcome> {
    const refused = (code: ErrorCode, text: string | null): ShareHeartbeatOutcome => ({
      result: shareHeartbeatError(code, text),
      initialization: null,
    })
    if (!this.#memory.admit(bytesOfHeartbeat(request))) {
      return Promise.resolve(refused(ErrorCode.GROUP_MAX_SIZE_REACHED, NO_MEMORY))
    }
    return this.run<ShareHeartbeatOutcome>(
      request.groupId,
      (code) => refused(code, null),
      (machine, turn, reply) =>
        machine.share((groups, step) => groups.heartbeat(request, step), reply, turn),
    )
  }

  /** A member of a streams group (KIP-1071) joins, beats or leaves. */
  streamsHeartbeat(request: StreamsHeartbeatRequest): Promise<StreamsHeartbeatOutcome> {
    if (!this.#memory.admit(bytesOfStreamsHeartbeat(request))) {
      return Promise.resolve(streamsHeartbeatError(ErrorCode.GROUP_MAX_SIZE_REACHED, NO_MEMORY))
    }
    return this.run<StreamsHeartbeatOutcome>(
      request.groupId,
      (code) => streamsHeartbeatError(code, null),
      (machine, turn, reply) =>
        machine.streams((groups, step) => groups.heartbeat(request, step), reply, turn),
    )
  }

  /** Of a group that is no streams group: GROUP_ID_NOT_FOUND. */
  describeStreamsGroup(groupId: string): Promise<DescribedStreamsGroup> {
    if (groupId === '') {
      return Promise.resolve(describeStreamsError('', ErrorCode.INVALID_GROUP_ID, null))
    }
    return this.run<DescribedStreamsGroup>(
      groupId,
      (code) => describeStreamsError(groupId, code, null),
      (machine, turn, reply) =>
        machine.streams((groups, step) => groups.describe(groupId, step), reply, turn),
    )
  }

  /** Of a group that is no consumer group: GROUP_ID_NOT_FOUND. */
  describeConsumerGroup(groupId: string): Promise<DescribedConsumerGroup> {
    return this.run<DescribedConsumerGroup>(
      groupId,
      (code) => describeConsumerError(groupId, code, null),
      (machine, turn, reply) => machine.describeConsumerGroup(groupId, reply, turn),
    )
  }

  /** Of a group that does not exist: GROUP_ID_NOT_FOUND and state Dead. */
  describeGroup(groupId: string): Promise<DescribedGroup> {
    return this.run<DescribedGroup>(
      groupId,
      (code) => describeError(groupId, code, ''),
      (machine, turn, reply) => machine.describe(groupId, reply, turn),
    )
  }

  /** GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, or NONE when the group and its offsets are gone. */
  deleteGroup(groupId: string): Promise<ErrorCode> {
    return this.run<ErrorCode>(
      groupId,
      (code) => code,
      (machine, turn, reply) => machine.deleteGroup(groupId, reply, turn),
    )
  }

  commitOffsets(request: OffsetCommitRequest): Promise<readonly TopicErrors[]> {
    return this.run<readonly TopicErrors[]>(
      request.groupId,
      (code) => errorsOf(request, code),
      (machine, turn, reply) => machine.commitOffsets(request, reply, turn),
    )
  }

  /**
   * @param admit asks the coordinator of the transaction to let a partition take part in it; it
   *   tells in such a turn that what is appended then is before any marker of the transaction
   */
  commitTransactionalOffsets(
    request: TransactionalOffsetCommitRequest,
    admit: (index: number, done: (errorCode: ErrorCode) => void) => void,
  ): Promise<readonly TopicErrors[]> {
    const { groupId } = request
    const refuse = (code: ErrorCode): readonly TopicErrors[] => errorsOf(request, code)
    if (groupId === '') return Promise.resolve(refuse(ErrorCode.INVALID_GROUP_ID))
    const index = this.partitionFor(groupId)
    const shard = this.#shards.at(index)
    if (shard === undefined) return Promise.resolve(refuse(ErrorCode.NOT_COORDINATOR))
    const standing = shard.log.standingOf(request)
    if (standing === 'fenced') return Promise.resolve(refuse(ErrorCode.INVALID_PRODUCER_EPOCH))
    return new Promise((resolve) => {
      const commit = (errorCode: ErrorCode): void => {
        if (errorCode !== ErrorCode.NONE) {
          resolve(refuse(errorCode))
          return
        }
        const reply = { answer: resolve, refuse: (code: ErrorCode) => resolve(refuse(code)) }
        shard.run<readonly TopicErrors[]>(reply, (machine, turn, to) =>
          machine.commitTransactionalOffsets(request, to, turn),
        )
      }
      if (standing === 'open') commit(ErrorCode.NONE)
      else admit(index, commit)
    })
  }

  /**
   * Ends a transaction in a partition of `__consumer_offsets`.
   * @param done told once: NONE when the marker is durable, or why it is not there
   */
  endTransaction(index: number, marker: EndTxnMarker, done: (errorCode: ErrorCode) => void): void {
    const shard = this.#shards.at(index)
    if (shard === undefined) {
      done(this.#shards.isClosed ? ErrorCode.NOT_COORDINATOR : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
      return
    }
    const refusal = shard.log.checkMarker(marker)
    if (refusal !== ErrorCode.NONE) {
      done(refusal)
      return
    }
    shard.run<ErrorCode>({ answer: done, refuse: done }, (machine, turn, reply) =>
      machine.endTransaction(marker, reply, turn),
    )
  }

  /** Which partition of `__consumer_offsets` the group is in, also before the topic is there. */
  partitionFor(groupId: string): number {
    return partitionForKey(groupId, this.#options.topics.plannedPartitionCount(OFFSETS_TOPIC))
  }

  async fetchOffsets(request: OffsetFetchRequest): Promise<OffsetFetchResult> {
    type Outcome = OffsetFetchResult['topics'] | ErrorCode
    const outcome = await this.run<Outcome>(
      request.groupId,
      (code) => code,
      (machine, turn, reply) => machine.fetchOffsets(request, reply, turn),
    )
    if (typeof outcome === 'number') return { errorCode: outcome, topics: [] }
    return { errorCode: ErrorCode.NONE, topics: outcome }
  }

  deleteOffsets(request: OffsetDeleteRequest): Promise<OffsetDeleteResult> {
    if (request.groupId === '') {
      return Promise.resolve({ errorCode: ErrorCode.INVALID_GROUP_ID, topics: [] })
    }
    return this.run<OffsetDeleteResult>(
      request.groupId,
      (errorCode) => ({ errorCode, topics: [] }),
      (machine, turn, reply) => machine.deleteOffsets(request, reply, turn),
    )
  }

  /** Groups of all shards. While one loads the list would have holes, so it is refused. */
  async listGroups(states: readonly string[], types: readonly string[]): Promise<ListGroupsResult> {
    type Outcome = readonly ListedGroup[] | ErrorCode
    const outcomes = await Promise.all(
      this.#shards.opened().map((shard) =>
        askShard<Outcome>(
          shard,
          (code) => code,
          (machine, turn, reply) => machine.list(states, types, reply, turn),
        ),
      ),
    )
    const groups: ListedGroup[] = []
    for (const outcome of outcomes) {
      if (typeof outcome !== 'number') groups.push(...outcome)
      else if (outcome !== ErrorCode.NOT_COORDINATOR) return { errorCode: outcome, groups: [] }
    }
    return { errorCode: ErrorCode.NONE, groups }
  }

  metadataChanged(changes: readonly MetadataChange[]): void {
    this.#shards.metadataChanged(changes)
  }

  /** Drops the offsets of a topic, or everything when the topic is that of the groups. */
  topicDeleted(name: string, topicId = NO_TOPIC_ID): void {
    this.#shards.topicDeleted(name, topicId)
  }

  /** Refuses what waits. What was answered is in the log already. */
  close(): void {
    this.#shards.close()
  }

  /** Runs a step on the shard that the group is in, for all that has to do with its group. */
  run<T>(
    groupId: string,
    refused: (errorCode: ErrorCode) => T,
    step: (machine: GroupCoordinatorShard, turn: GroupTurn, reply: Reply<T>) => void,
  ): Promise<T> {
    const shard = this.#shards.at(this.partitionFor(groupId))
    if (shard === undefined) return Promise.resolve(refused(ErrorCode.NOT_COORDINATOR))
    return askShard(shard, refused, step)
  }
}
