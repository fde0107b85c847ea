import { ErrorCode } from '../../base/error-code.ts'
import type { MetadataChange } from '../../ports/metadata-store.ts'
import type { CoordinatorLog } from '../coordinator/coordinator-log.ts'
import { type CoordinatorPorts, CoordinatorShard } from '../coordinator/coordinator-shard.ts'
import type { Reply, Turn } from '../coordinator/coordinator-turn.ts'
import { type InternalTopics, OFFSETS_TOPIC } from '../coordinator/internal-topics.ts'
import { PartitionCoordinatorLog } from '../coordinator/partition-coordinator-log.ts'
import type { TopicsChange } from './consumer/consumer-group-manager.ts'
import { topicsChangeOf } from './consumer/topics-change.ts'
import type { Group } from './group.ts'
import type { GroupConfig } from './group-config.ts'
import { GroupCoordinatorShard } from './group-coordinator-shard.ts'
import type { GroupTimerEvent, GroupTopics } from './group-step.ts'
import { NO_TOPIC_ID } from './offset-requests.ts'

export interface GroupCoordinatorOptions extends CoordinatorPorts {
  readonly topics: InternalTopics
  /** Read for every step, so that changed settings hold at once. */
  readonly config: () => GroupConfig
  /** The topics of the cluster, as they are now; left out: none, for tests of classic groups. */
  readonly metadata?: () => GroupTopics
  /** The log of a partition of `__consumer_offsets`; by default the one that `topics` gives. */
  readonly openLog?: (index: number) => CoordinatorLog | undefined
}

export type GroupShard = CoordinatorShard<GroupCoordinatorShard, GroupTimerEvent>
export type GroupTurn = Turn<GroupTimerEvent>

/** How long to wait for a shard that loads before it is told again of a deleted topic. */
const RETRY_MS = 100

/** The groups of each partition of `__consumer_offsets` that this broker leads. */
export class GroupShards {
  readonly #options: GroupCoordinatorOptions
  readonly #shards = new Map<number, GroupShard>()
  #isClosed = false

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** True while a shard still replays its log. */
  get isLoading(): boolean {
    return this.opened().some((shard) => shard.isLoading)
  }

  opened(): GroupShard[] {
    return [...this.#shards.values()]
  }

  groups(): Group[] {
    return this.opened().flatMap(({ machine }) =>
      machine === null ? [] : [...machine.groups.groups],
    )
  }

  /** The shard of a partition, which loads when it is asked for first; undefined: not led here. */
  at(index: number): GroupShard | undefined {
    const known = this.#shards.get(index)
    if (known !== undefined || this.#isClosed) return known
    const log = this.#openLog(index)
    if (log === undefined) return undefined
    const { config, metadata } = this.#options
    const shard: GroupShard = new CoordinatorShard(
      log,
      () => new GroupCoordinatorShard(config, metadata),
      this.#options,
    )
    this.#shards.set(index, shard)
    shard.load()
    return shard
  }

  metadataChanged(changes: readonly MetadataChange[]): void {
    for (const change of changes)
      if (change.kind === 'topicDeleted') this.topicDeleted(change.name, change.topicId)
    const change = topicsChangeOf(changes, this.#options.metadata?.())
    if (change !== null) for (const shard of this.#shards.values()) tellTopics(shard, change)
  }

  /** Drops the offsets of a topic, or everything when the topic is that of the groups. */
  topicDeleted(name: string, topicId = NO_TOPIC_ID): void {
    if (name === OFFSETS_TOPIC) {
      this.#closeShards()
      return
    }
    for (const shard of this.#shards.values()) this.#forgetTopic(shard, name, topicId)
  }

  close(): void {
    this.#isClosed = true
    this.#closeShards()
  }

  #closeShards(): void {
    const shards = this.opened()
    this.#shards.clear()
    for (const shard of shards) shard.close()
  }

  #forgetTopic(shard: GroupShard, name: string, topicId: string): void {
    const reply: Reply<null> = {
      answer() {},
      refuse: (code) => {
        if (code !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS || this.#isClosed) return
        this.#options.scheduler.after(RETRY_MS, () => this.#forgetTopic(shard, name, topicId))
      },
    }
    shard.run(reply, (machine, turn) => machine.topicDeleted(name, topicId, reply, turn))
  }

  #openLog(index: number): CoordinatorLog | undefined {
    const { openLog, topics } = this.#options
    if (openLog !== undefined) return openLog(index)
    const partition = topics.partition(OFFSETS_TOPIC, index)
    return partition === undefined ? undefined : new PartitionCoordinatorLog(partition)
  }
}

/** Runs a step on a shard; what it answers, or why it refused. */
export function askShard<T>(
  shard: GroupShard,
  refused: (errorCode: ErrorCode) => T,
  step: (machine: GroupCoordinatorShard, turn: GroupTurn, reply: Reply<T>) => void,
): Promise<T> {
  return new Promise<T>((resolve) => {
    const reply: Reply<T> = { answer: resolve, refuse: (code) => resolve(refused(code)) }
    shard.run(reply, step)
  })
}

/** A shard that loads reads the topics as they are when it is done, so it may miss this. */
function tellTopics(shard: GroupShard, change: TopicsChange): void {
  const nobody: Reply<null> = { answer() {}, refuse() {} }
  shard.run(nobody, (machine, turn) => machine.topicsChanged(change, turn))
}
