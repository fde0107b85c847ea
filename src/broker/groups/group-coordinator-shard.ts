import { ErrorCode } from '../../base/error-code.ts'
import { ControlRecordType, type EndTxnMarker } from '../../records/control-batch.ts'
import { decodeOffsetsRecord } from '../../records/internal/offsets-records.ts'
import type { CoordinatorMachine, Reply, Turn } from '../coordinator/coordinator-turn.ts'
import type {
  DescribedGroup,
  HeartbeatRequest,
  JoinGroupRequest,
  JoinGroupResult,
  LeaveGroupRequest,
  LeaveGroupResult,
  SyncGroupRequest,
  SyncGroupResult,
} from './classic/classic-group-requests.ts'
import type { TopicsChange } from './consumer/consumer-group-manager.ts'
import type {
  ConsumerHeartbeatRequest,
  ConsumerHeartbeatResult,
  DescribedConsumerGroup,
} from './consumer/consumer-group-requests.ts'
import { isConsumerGroupRecord } from './consumer/replay.ts'
import type { GroupConfig } from './group-config.ts'
import { GroupMetadataManager, type ListedGroup } from './group-metadata-manager.ts'
import {
  type GroupStep,
  type GroupTimerEvent,
  type GroupTopics,
  NO_TOPICS,
  RETENTION_TIMER,
} from './group-step.ts'
import { OffsetMetadataManager } from './offset-metadata-manager.ts'
import type {
  FetchedTopic,
  OffsetCommitRequest,
  OffsetDeleteRequest,
  OffsetDeleteResult,
  OffsetFetchRequest,
  TopicErrors,
  TransactionalOffsetCommitRequest,
} from './offset-requests.ts'
import type { ShareGroupManager } from './share/share-group-manager.ts'
import { isShareGroupRecord } from './share/share-replay.ts'
import type { StreamsGroupManager } from './streams/streams-group-manager.ts'
import { isStreamsGroupRecord } from './streams/streams-replay.ts'

type GroupTurn = Turn<GroupTimerEvent>

/**
 * Groups and offsets of one partition of `__consumer_offsets`, as one state machine: (state, event,
 * time) to (records, answers, timers). Loading replays the records into the same state.
 */
export class GroupCoordinatorShard implements CoordinatorMachine<GroupTimerEvent> {
  readonly groups = new GroupMetadataManager()
  readonly offsets = new OffsetMetadataManager(this.groups)
  readonly #config: () => GroupConfig
  readonly #topics: () => GroupTopics

  /** @param topics as they are now; left out: there are none */
  constructor(config: () => GroupConfig, topics: () => GroupTopics = () => NO_TOPICS) {
    this.#config = config
    this.#topics = topics
  }

  consumerHeartbeat(
    request: ConsumerHeartbeatRequest,
    reply: Reply<ConsumerHeartbeatResult>,
    turn: GroupTurn,
  ): void {
    turn.reply(reply, this.groups.consumerGroups.heartbeat(request, this.#step(turn)))
  }

  describeConsumerGroup(
    groupId: string,
    reply: Reply<DescribedConsumerGroup>,
    turn: GroupTurn,
  ): void {
    turn.reply(reply, this.groups.consumerGroups.describe(groupId, this.#step(turn)))
  }

  /** A step of the share groups of this shard. */
  share<T>(
    run: (shareGroups: ShareGroupManager, step: GroupStep) => T,
    reply: Reply<T>,
    turn: GroupTurn,
  ): void {
    turn.reply(reply, run(this.groups.shareGroups, this.#step(turn)))
  }

  /** A step of the streams groups of this shard. */
  streams<T>(
    run: (streamsGroups: StreamsGroupManager, step: GroupStep) => T,
    reply: Reply<T>,
    turn: GroupTurn,
  ): void {
    turn.reply(reply, run(this.groups.streamsGroups, this.#step(turn)))
  }

  topicsChanged(change: TopicsChange, turn: GroupTurn): void {
    this.groups.consumerGroups.topicsChanged(change, this.groups.groups, this.#step(turn))
    this.groups.shareGroups.topicsChanged(change, this.groups.groups)
    this.groups.streamsGroups.topicsChanged(change, this.groups.groups)
  }

  join(request: JoinGroupRequest, reply: Reply<JoinGroupResult>, turn: GroupTurn): void {
    this.groups.join(request, reply, this.#step(turn))
  }

  sync(request: SyncGroupRequest, reply: Reply<SyncGroupResult>, turn: GroupTurn): void {
    this.groups.sync(request, reply, this.#step(turn))
  }

  heartbeat(request: HeartbeatRequest, reply: Reply<ErrorCode>, turn: GroupTurn): void {
    turn.reply(reply, this.groups.heartbeat(request, this.#step(turn)))
  }

  leave(request: LeaveGroupRequest, reply: Reply<LeaveGroupResult>, turn: GroupTurn): void {
    turn.reply(reply, this.groups.leave(request, this.#step(turn)))
  }

  describe(groupId: string, reply: Reply<DescribedGroup>, turn: GroupTurn): void {
    turn.reply(reply, this.groups.describe(groupId))
  }

  list(
    states: readonly string[],
    types: readonly string[],
    reply: Reply<readonly ListedGroup[]>,
    turn: GroupTurn,
  ): void {
    turn.reply(reply, this.groups.list(states, types))
  }

  /** The group and its offsets, with tombstones for both, the group's last. */
  deleteGroup(groupId: string, reply: Reply<ErrorCode>, turn: GroupTurn): void {
    const errorCode = this.groups.checkDelete(groupId)
    if (errorCode === ErrorCode.NONE) {
      const step = this.#step(turn)
      this.offsets.deleteAll(groupId, step)
      this.groups.delete(groupId, step)
    }
    turn.reply(reply, errorCode)
  }

  commitOffsets(
    request: OffsetCommitRequest,
    reply: Reply<readonly TopicErrors[]>,
    turn: GroupTurn,
  ): void {
    turn.reply(reply, this.offsets.commit(request, this.#step(turn)))
  }

  commitTransactionalOffsets(
    request: TransactionalOffsetCommitRequest,
    reply: Reply<readonly TopicErrors[]>,
    turn: GroupTurn,
  ): void {
    turn.reply(reply, this.offsets.commitTransactional(request, this.#step(turn)))
  }

  /** What a transaction committed here holds now, or is forgotten. */
  endTransaction(marker: EndTxnMarker, reply: Reply<ErrorCode>, turn: GroupTurn): void {
    const isCommitted = marker.type === ControlRecordType.COMMIT
    turn.appendMarker(marker)
    this.offsets.transactionEnded(marker.producerId, isCommitted)
    turn.reply(reply, ErrorCode.NONE)
  }

  fetchOffsets(
    request: OffsetFetchRequest,
    reply: Reply<readonly FetchedTopic[] | ErrorCode>,
    turn: GroupTurn,
  ): void {
    turn.reply(reply, this.offsets.fetch(request))
  }

  deleteOffsets(
    request: OffsetDeleteRequest,
    reply: Reply<OffsetDeleteResult>,
    turn: GroupTurn,
  ): void {
    turn.reply(reply, this.offsets.delete(request, this.#step(turn)))
  }

  topicDeleted(topic: string, topicId: string, reply: Reply<null>, turn: GroupTurn): void {
    this.offsets.topicDeleted(topic, this.#step(turn))
    this.groups.shareGroups.topicsDeleted([topicId], this.groups.groups, this.#step(turn))
    turn.reply(reply, null)
  }

  timerFired(event: GroupTimerEvent, turn: GroupTurn): void {
    if (event.kind === 'retentionCheck') this.#retain(turn)
    else this.groups.timerFired(event, this.#step(turn))
  }

  loaded(turn: GroupTurn): void {
    this.groups.loaded(this.#step(turn))
    this.#scheduleRetention(turn)
  }

  /** Records of kinds this version does not know are left alone, as Kafka does. */
  replay(key: Buffer, value: Buffer | null, offset: number, producerId: number): void {
    const record = decodeOffsetsRecord(key, value)
    if (record?.name === 'OffsetCommit') this.offsets.replay(record, offset, producerId)
    else if (record?.name === 'GroupMetadata') this.groups.replay(record)
    else if (record !== undefined && isConsumerGroupRecord(record)) {
      this.groups.consumerGroups.replay(record)
    } else if (record !== undefined && isShareGroupRecord(record)) {
      this.groups.shareGroups.replay(record)
    } else if (record !== undefined && isStreamsGroupRecord(record)) {
      this.groups.streamsGroups.replay(record)
    }
  }

  replayTransactionEnd(producerId: number, isCommitted: boolean): void {
    this.offsets.transactionEnded(producerId, isCommitted)
  }

  parkedReplies(): readonly Reply<never>[] {
    return this.groups.parkedReplies()
  }

  #step(turn: GroupTurn): GroupStep {
    return { turn, config: this.#config(), topics: this.#topics() }
  }

  /** Drops expired offsets, and groups that have neither members nor offsets. */
  #retain(turn: GroupTurn): void {
    const step = this.#step(turn)
    for (const group of [...this.groups.groups]) {
      // A share group keeps what its members read, so it stays until somebody deletes it.
      if (group.type === 'share') continue
      const hasNoOffsets = this.offsets.expire(group, step)
      const hasPending = group.type === 'classic' && group.pendingJoinMembers.size > 0
      if (hasNoOffsets && group.isEmpty && !hasPending) this.groups.delete(group.groupId, step)
    }
    this.#scheduleRetention(turn)
  }

  #scheduleRetention(turn: GroupTurn): void {
    const delayMs = this.#config().offsetsRetentionCheckIntervalMs
    turn.schedule(RETENTION_TIMER, delayMs, { kind: 'retentionCheck' })
  }
}
