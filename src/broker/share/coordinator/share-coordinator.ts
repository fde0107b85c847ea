import { ErrorCode } from '../../../base/error-code.ts'
import type {
  MetadataChange,
  MetadataImage,
  MetadataListener,
} from '../../../ports/metadata-store.ts'
import type { Timer } from '../../../ports/scheduler.ts'
import type { CoordinatorLog } from '../../coordinator/coordinator-log.ts'
import { type CoordinatorPorts, CoordinatorShard } from '../../coordinator/coordinator-shard.ts'
import type { Reply, Turn } from '../../coordinator/coordinator-turn.ts'
import {
  type InternalTopics,
  partitionForKey,
  SHARE_STATE_TOPIC,
} from '../../coordinator/internal-topics.ts'
import { PartitionCoordinatorLog } from '../../coordinator/partition-coordinator-log.ts'
import type { ShareCoordinatorConfig } from './share-coordinator-config.ts'
import { ShareCoordinatorShard, type ShareTimerEvent } from './share-coordinator-shard.ts'
import { coordinatorKeyOf, type SharePartitionKey } from './share-partition-key.ts'
import {
  type ReadShareStateResult,
  readError,
  type ShareOutcome,
  type ShareStateSummary,
  type ShareStateWrite,
  summaryError,
} from './share-state.ts'

export interface ShareCoordinatorOptions extends CoordinatorPorts {
  readonly topics: InternalTopics
  /** Read for every step, so that changed settings hold at once. */
  readonly config: () => ShareCoordinatorConfig
  /** The topics of the cluster, as they are now. */
  readonly metadata: () => Pick<MetadataImage, 'topicsById'>
  /** The log of a partition of `__share_group_state`; by default the one that `topics` gives. */
  readonly openLog?: (index: number) => CoordinatorLog | undefined
  /** Where the next record of that log will be; by default as `topics` says. */
  readonly endOffset?: (index: number) => number
}

type Shard = CoordinatorShard<ShareCoordinatorShard, ShareTimerEvent>
type Step<T> = (
  machine: ShareCoordinatorShard,
  turn: Turn<ShareTimerEvent>,
  reply: Reply<T>,
) => void

/** How long to wait for a shard that loads before it is told again of a deleted topic. */
const RETRY_MS = 100

/**
 * Keeps the state of share partitions, on all partitions of `__share_group_state` that this broker
 * leads. Answers come when what they say is durable (KIP-932).
 */
export class ShareCoordinator implements MetadataListener {
  readonly #options: ShareCoordinatorOptions
  readonly #shards = new Map<number, Shard>()
  #pruning: Timer | null = null
  #isClosed = false

  constructor(options: ShareCoordinatorOptions) {
    this.#options = options
  }

  /** Loads all shards, if the topic exists; call it once its logs are open. */
  start(): void {
    const count = this.#options.topics.partitionCount(SHARE_STATE_TOPIC)
    for (let index = 0; index < count; index++) this.#shard(index)
    this.#schedulePruning()
  }

  /** True while a shard still replays its log. */
  get isLoading(): boolean {
    return [...this.#shards.values()].some((shard) => shard.isLoading)
  }

  /** NONE when this broker keeps the state, COORDINATOR_NOT_AVAILABLE until it can. */
  locate(): ErrorCode {
    const state = this.#options.topics.ensure(SHARE_STATE_TOPIC)
    return state === 'ready' ? ErrorCode.NONE : ErrorCode.COORDINATOR_NOT_AVAILABLE
  }

  /** FENCED_STATE_EPOCH, UNKNOWN_TOPIC_OR_PARTITION or INVALID_REQUEST, with the text of the answer. */
  initializeState(
    key: SharePartitionKey,
    stateEpoch: number,
    startOffset: number,
  ): Promise<ShareOutcome> {
    return this.#run<ShareOutcome>(key, outcomeOf, (machine, turn, reply) =>
      machine.initialize(key, stateEpoch, startOffset, reply, turn),
    )
  }

  /** FENCED_LEADER_EPOCH and the like; INVALID_REQUEST for a partition that was never initialized. */
  readState(key: SharePartitionKey, leaderEpoch: number): Promise<ReadShareStateResult> {
    return this.#run<ReadShareStateResult>(
      key,
      (code) => readError(code, null),
      (machine, turn, reply) => machine.read(key, leaderEpoch, reply, turn),
    )
  }

  writeState(key: SharePartitionKey, write: ShareStateWrite): Promise<ShareOutcome> {
    return this.#run<ShareOutcome>(key, outcomeOf, (machine, turn, reply) =>
      machine.write(key, write, reply, turn),
    )
  }

  deleteState(key: SharePartitionKey): Promise<ShareOutcome> {
    return this.#run<ShareOutcome>(key, outcomeOf, (machine, turn, reply) =>
      machine.delete(key, reply, turn),
    )
  }

  readSummary(key: SharePartitionKey): Promise<ShareStateSummary> {
    return this.#run<ShareStateSummary>(
      key,
      (code) => summaryError(code, null),
      (machine, turn, reply) => machine.readSummary(key, reply, turn),
    )
  }

  metadataChanged(changes: readonly MetadataChange[]): void {
    for (const change of changes) {
      if (change.kind !== 'topicDeleted') continue
      if (change.name === SHARE_STATE_TOPIC) this.#closeShards()
      else for (const shard of this.#shards.values()) this.#forgetTopic(shard, change.topicId)
    }
  }

  /** Refuses what waits. What was answered is in the log already. */
  close(): void {
    this.#isClosed = true
    this.#pruning?.cancel()
    this.#closeShards()
  }

  #closeShards(): void {
    const shards = [...this.#shards.values()]
    this.#shards.clear()
    for (const shard of shards) shard.close()
  }

  #forgetTopic(shard: Shard, topicId: string): void {
    const reply: Reply<null> = {
      answer() {},
      refuse: (code) => {
        if (code !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS || this.#isClosed) return
        this.#options.scheduler.after(RETRY_MS, () => this.#forgetTopic(shard, topicId))
      },
    }
    shard.run(reply, (machine, turn) => machine.topicDeleted(topicId, reply, turn))
  }

  #schedulePruning(): void {
    const { scheduler, config } = this.#options
    this.#pruning = scheduler.after(config().pruneIntervalMs, () => {
      for (const [index, shard] of this.#shards) this.#prune(index, shard)
      this.#schedulePruning()
    })
  }

  /** Deletes the records that snapshots made superfluous, as far as those are durable. */
  #prune(index: number, shard: Shard): void {
    const log = this.#options.topics.partition(SHARE_STATE_TOPIC, index)?.log
    const neededFrom = shard.machine?.neededFrom
    if (log === undefined || log.isFailed || neededFrom === undefined || neededFrom === null) return
    if (neededFrom <= log.logStartOffset || neededFrom >= log.highWatermark) return
    log.deleteRecordsBefore(neededFrom).catch((error: unknown) => {
      this.#options.logger.error('old share group state could not be deleted', { error })
    })
  }

  #run<T>(key: SharePartitionKey, refused: (errorCode: ErrorCode) => T, step: Step<T>): Promise<T> {
    const count = this.#options.topics.partitionCount(SHARE_STATE_TOPIC)
    const index = count === 0 ? -1 : partitionForKey(coordinatorKeyOf(key), count)
    const shard = index === -1 ? undefined : this.#shard(index)
    if (shard === undefined) {
      return Promise.resolve(
        refused(count === 0 ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.NOT_COORDINATOR),
      )
    }
    return new Promise<T>((resolve) => {
      const reply: Reply<T> = { answer: resolve, refuse: (code) => resolve(refused(code)) }
      shard.run(reply, step)
    })
  }

  #shard(index: number): Shard | undefined {
    const known = this.#shards.get(index)
    if (known !== undefined || this.#isClosed) return known
    const log = this.#openLog(index)
    if (log === undefined) return undefined
    const { config, metadata, topics } = this.#options
    const isPartition = (topicId: string, partition: number): boolean =>
      partition < (metadata().topicsById.get(topicId)?.partitions.length ?? 0)
    const nextOffset = (): number =>
      this.#options.endOffset?.(index) ??
      topics.partition(SHARE_STATE_TOPIC, index)?.log.logEndOffset ??
      0
    const shard: Shard = new CoordinatorShard(
      log,
      () => new ShareCoordinatorShard({ config, isPartition, nextOffset }),
      this.#options,
    )
    this.#shards.set(index, shard)
    shard.load()
    return shard
  }

  #openLog(index: number): CoordinatorLog | undefined {
    const { openLog, topics } = this.#options
    if (openLog !== undefined) return openLog(index)
    const partition = topics.partition(SHARE_STATE_TOPIC, index)
    return partition === undefined ? undefined : new PartitionCoordinatorLog(partition)
  }
}

const outcomeOf = (errorCode: ErrorCode): ShareOutcome => ({ errorCode, errorMessage: null })
