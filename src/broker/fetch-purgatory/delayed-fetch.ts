import { ErrorCode } from '../../base/error-code.ts'
import type { ListNode } from '../../base/linked-list.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { Partition, PartitionWatcher } from '../topics/partition.ts'
import type { FetchParams, FetchPartition, FetchResult } from './fetch-params.ts'
import { divergingEpoch, leaderEpochError, readPartition } from './read-partition.ts'

/**
 * One long poll: waits until `minBytes` can be read or `maxWaitMs` passes, whichever is first, then
 * reads. An error of a partition that is known ends the wait at once; an unknown partition does not.
 * Source: Kafka's DelayedFetch and ReplicaManager.
 */
export class DelayedFetch implements PartitionWatcher {
  readonly #params: FetchParams
  readonly #done: (results: FetchResult[]) => void
  #timer: Timer | null = null
  /** By partition, while it waits. */
  #watches: (ListNode<PartitionWatcher> | undefined)[] = []
  #state: 'waiting' | 'reading' | 'done' = 'waiting'
  /** For each partition: bytes that could be read at the last look, and `visibleBytes` then. */
  #seenBytes: Float64Array | null = null
  #seenVisible: Float64Array | null = null

  constructor(params: FetchParams, done: (results: FetchResult[]) => void) {
    this.#params = params
    this.#done = done
  }

  /** `done` is called exactly once, perhaps before this returns, unless `cancel` comes first. */
  start(scheduler: Scheduler): void {
    const { maxWaitMs, minBytes } = this.#params
    if (maxWaitMs <= 0 || minBytes <= 0 || this.#isReady()) {
      this.#read((results) => this.#finish(results))
      return
    }
    this.#park(scheduler, maxWaitMs)
  }

  /** `done` was called, or never will be. */
  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** Nobody wants the answer any more. */
  cancel(): void {
    if (this.#state === 'waiting') this.#unpark()
    this.#state = 'done'
  }

  partitionAdvanced(): void {
    if (this.#state !== 'waiting' || !this.#isReady()) return
    this.#unpark()
    this.#read((results) => this.#finish(results))
  }

  #park(scheduler: Scheduler, maxWaitMs: number): void {
    this.#watches = this.#params.partitions.map(({ partition }) => partition?.watch(this))
    this.#timer = scheduler.after(maxWaitMs, () => {
      if (this.#state !== 'waiting') return
      this.#unpark()
      this.#read((results) => this.#finish(results))
    })
  }

  #unpark(): void {
    this.#timer?.cancel()
    this.#timer = null
    for (const [index, watch] of this.#watches.entries()) {
      if (watch !== undefined) this.#params.partitions[index]?.partition?.unwatch(watch)
    }
    this.#watches = []
  }

  #finish(results: FetchResult[]): void {
    if (this.#state === 'done') {
      for (const { slice } of results) slice?.release()
      return
    }
    this.#state = 'done'
    this.#done(results)
  }

  /** True when an answer is due: an error of a known partition, or enough bytes. */
  #isReady(): boolean {
    const { partitions, minBytes } = this.#params
    let availableBytes = 0
    for (let i = 0; i < partitions.length; i++) {
      const fetch = partitions[i] as FetchPartition
      const { partition } = fetch
      if (partition === undefined) continue
      const bytes = this.#availableBytes(fetch, partition, i)
      if (bytes < 0) return true
      availableBytes += bytes
      if (availableBytes >= minBytes) return true
    }
    return false
  }

  /** Bytes that could be returned now, at least 1 if there are any; -1: an answer is due at once. */
  #availableBytes(fetch: FetchPartition, partition: Partition, index: number): number {
    if (partition.availability !== ErrorCode.NONE) return -1
    const { log } = partition
    const endOffset = this.#params.isReadCommitted ? log.lastStableOffset : log.highWatermark
    if (fetch.offset > log.logEndOffset || fetch.offset < log.logStartOffset) return -1
    if (leaderEpochError(fetch.currentLeaderEpoch, log.leaderEpoch) !== ErrorCode.NONE) return -1
    if (divergingEpoch(log, fetch) !== null) return -1
    if (fetch.offset >= endOffset) return 0
    if (this.#params.minBytes === 1) return 1
    return Math.min(fetch.maxBytes, this.#countedBytes(fetch, partition, index))
  }

  /** What was there at the first look, and what became visible since. */
  #countedBytes(fetch: FetchPartition, { log }: Partition, index: number): number {
    const { partitions } = this.#params
    this.#seenBytes ??= new Float64Array(partitions.length).fill(-1)
    this.#seenVisible ??= new Float64Array(partitions.length)
    if (this.#seenBytes[index] === -1) {
      this.#seenBytes[index] = log.bytesFrom(fetch.offset)
      this.#seenVisible[index] = log.visibleBytes
    }
    return (
      (this.#seenBytes[index] as number) + log.visibleBytes - (this.#seenVisible[index] as number)
    )
  }

  #read(done: (results: FetchResult[]) => void): void {
    this.#state = 'reading'
    const { partitions, maxBytes, isReadCommitted } = this.#params
    const results: FetchResult[] = []
    let leftBytes = maxBytes
    let hasData = false
    const step = (): void => {
      // Nobody wants the rest of a fetch that was cancelled during a read.
      while (results.length < partitions.length && this.#state === 'reading') {
        const fetch = partitions[results.length] as FetchPartition
        const limit = { maxBytes: leftBytes, atLeastOne: !hasData, isReadCommitted }
        let isSync = true
        const result = readPartition(fetch, limit, (later) => {
          take(later)
          if (!isSync) step()
        })
        isSync = false
        if (result === null) return
        take(result)
      }
      done(results)
    }
    const take = (result: FetchResult): void => {
      results.push(result)
      const byteLength = result.slice?.byteLength ?? 0
      leftBytes = Math.max(0, leftBytes - byteLength)
      hasData ||= byteLength > 0
    }
    step()
  }
}
