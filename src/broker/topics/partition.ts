import { ErrorCode } from '../../base/error-code.ts'
import type { Lease } from '../../base/lease.ts'
import type {
  AppendResult,
  AppendSafety,
  AppendWaiter,
  LogListener,
  PartitionLog,
} from '../../ports/partition-log.ts'

/** Told in the turn in which more of a partition can be read. */
export interface PartitionWatcher {
  partitionAdvanced(partition: Partition): void
}

/** One partition that this broker leads: its log and who waits for it. */
export class Partition implements LogListener {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  #log: PartitionLog | null = null
  readonly #watchers = new Set<PartitionWatcher>()

  constructor(topic: string, topicId: string, partition: number) {
    this.topic = topic
    this.topicId = topicId
    this.partition = partition
  }

  get log(): PartitionLog {
    if (this.#log === null) throw new Error('the log of the partition is not open')
    return this.#log
  }

  /** The log needs its listener before it exists, so it is given afterwards. */
  attach(log: PartitionLog): void {
    this.#log = log
  }

  /** Appends a batch that Spool made itself (internal topics): it is not validated again. */
  appendOwn(batch: Buffer, lease: Lease, waiter: AppendWaiter, slot: number): AppendResult {
    const safety: AppendSafety = 'durable'
    return this.log.append({ batch, lease, safety, waiter, slot, logAppendTimeMs: -1 })
  }

  watch(watcher: PartitionWatcher): void {
    this.#watchers.add(watcher)
  }

  unwatch(watcher: PartitionWatcher): void {
    this.#watchers.delete(watcher)
  }

  logAdvanced(): void {
    if (this.#watchers.size === 0) return
    for (const watcher of [...this.#watchers]) watcher.partitionAdvanced(this)
  }

  logFailed(): void {
    this.logAdvanced()
  }

  /** NONE, or why this partition can't serve. */
  get availability(): ErrorCode {
    return this.log.isFailed ? ErrorCode.KAFKA_STORAGE_ERROR : ErrorCode.NONE
  }
}
