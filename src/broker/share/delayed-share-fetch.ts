import { ErrorCode } from '../../base/error-code.ts'
import type { LogSlice } from '../../ports/partition-log.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { AcquiredSpan } from '../delivery/delivery-state.ts'
import type { PartitionWatcher } from '../topics/partition.ts'
import type { ShareOutcome } from './coordinator/share-state.ts'
import { abortedBatches, type BatchBytes, batchesOf, bytesBetween } from './read-batches.ts'
import type { SharePartition, SharePartitionWatcher } from './share-partition.ts'
import type { TopicIdPartition } from './share-sessions.ts'

export interface ShareFetchParams {
  readonly memberId: string
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxWaitMs: number
  readonly maxRecordCount: number
  readonly batchSize: number
  /** Never more than `maxRecordCount` (KIP-1206). */
  readonly isRecordLimit: boolean
}

/** What a fetch got of one partition. */
export interface ShareFetchResult extends TopicIdPartition, ShareOutcome {
  /** null: no records. */
  readonly records: BatchBytes | null
  readonly acquired: readonly AcquiredSpan[]
  /** Must be called exactly once, when the bytes are no longer needed. */
  release(): void
}

const NO_RECORDS = { records: null, acquired: [], release: (): void => {} } as const

/** A partition that the fetch reads now. */
interface Reading {
  readonly share: SharePartition
  readonly fetchOffset: number
}

/**
 * One long poll of a member: waits until records can be given to it or `maxWaitMs` passes, then
 * acquires them. Source: DelayedShareFetch of Kafka 4.4.
 */
export class DelayedShareFetch implements PartitionWatcher, SharePartitionWatcher {
  readonly #params: ShareFetchParams
  readonly #shares: readonly SharePartition[]
  readonly #done: (results: ShareFetchResult[]) => void
  readonly #results: ShareFetchResult[] = []
  #state: 'waiting' | 'reading' | 'done' = 'waiting'
  #timer: Timer | null = null
  /** What stops to watch each of the partitions. */
  #unwatch: (() => void)[] = []
  #isLastTry = false
  /** Something happened while it read. */
  #mustRetry = false
  #byteLength = 0
  #recordCount = 0

  /** @param done called once, perhaps before `start` returns, unless `cancel` comes first */
  constructor(
    params: ShareFetchParams,
    shares: readonly SharePartition[],
    done: (results: ShareFetchResult[]) => void,
  ) {
    this.#params = params
    this.#shares = shares
    this.#done = done
  }

  start(scheduler: Scheduler): void {
    const { maxWaitMs, maxRecordCount, maxBytes } = this.#params
    if (this.#shares.length === 0 || maxRecordCount <= 0 || maxBytes <= 0) {
      this.#finish()
      return
    }
    if (maxWaitMs <= 0) {
      this.#lastTry()
      return
    }
    this.#try()
    if (this.#state === 'done') return
    for (const share of this.#shares) {
      const { partition } = share
      const [shareWatch, watch] = [share.watch(this), partition.watch(this)]
      this.#unwatch.push(
        () => share.unwatch(shareWatch),
        () => partition.unwatch(watch),
      )
    }
    this.#timer = scheduler.after(maxWaitMs, () => this.#lastTry())
  }

  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** Nobody wants the answer any more; what was acquired goes back with the session. */
  cancel(): void {
    this.#stopWaiting()
    this.#state = 'done'
    for (const { release } of this.#results.splice(0)) release()
  }

  partitionAdvanced(): void {
    this.#try()
  }

  sharePartitionChanged(): void {
    this.#try()
  }

  #lastTry(): void {
    this.#isLastTry = true
    this.#try()
  }

  #try(): void {
    if (this.#state === 'reading') this.#mustRetry = true
    if (this.#state !== 'waiting') return
    for (const share of this.#shares) {
      const errorCode = errorOf(share)
      if (errorCode !== ErrorCode.NONE) this.#fail(share, errorCode)
    }
    const readings: Reading[] = []
    for (const share of this.#shares) {
      if (errorOf(share) !== ErrorCode.NONE) continue
      const fetchOffset = share.nextFetchOffset()
      if (fetchOffset !== null) readings.push({ share, fetchOffset })
    }
    if (this.#results.length > 0 || this.#isLastTry || this.#hasEnough(readings)) {
      this.#read(readings)
    }
  }

  #hasEnough(readings: readonly Reading[]): boolean {
    let bytes = 0
    for (const { share, fetchOffset } of readings) {
      if (fetchOffset >= share.endOffset) continue
      bytes += this.#params.minBytes <= 1 ? 1 : share.partition.log.bytesFrom(fetchOffset)
      if (bytes >= this.#params.minBytes) return true
    }
    return false
  }

  /** Partition after partition: how many records the next one may give depends on those before. */
  #read(readings: readonly Reading[]): void {
    this.#state = 'reading'
    for (const { share } of readings) share.isFetchLocked = true
    const maxBytes = Math.max(1, Math.floor(this.#params.maxBytes / Math.max(1, readings.length)))
    let index = 0
    const step = (): void => {
      while (index < readings.length) {
        const reading = readings[index++] as Reading
        let isSync = true
        const isReady = this.#readOne(reading, maxBytes, () => {
          if (!isSync) step()
        })
        isSync = false
        if (!isReady) return
      }
      this.#afterReads(readings)
    }
    step()
  }

  /** @returns false when `later` is called in another turn */
  #readOne({ share, fetchOffset }: Reading, maxBytes: number, later: () => void): boolean {
    const { log } = share.partition
    const { endOffset } = share
    const hasRoom = this.#recordCount < this.#params.maxRecordCount
    if (this.#state === 'done' || !hasRoom || fetchOffset >= endOffset) return true
    const isReadCommitted = share.settings.isReadCommitted
    let hasAnswered = false
    const request = {
      offset: Math.max(fetchOffset, log.logStartOffset),
      endOffset,
      maxBytes,
      atLeastOne: this.#byteLength < this.#params.maxBytes,
      includeAborted: isReadCommitted,
    }
    const slice = log.read(request, (error, read) => {
      hasAnswered = true
      if (error !== null) this.#fail(share, ErrorCode.KAFKA_STORAGE_ERROR)
      else if (read !== null) this.#acquire(share, fetchOffset, read)
      later()
    })
    if (slice === null) return hasAnswered
    this.#acquire(share, fetchOffset, slice)
    return true
  }

  #acquire(share: SharePartition, fetchOffset: number, slice: LogSlice): void {
    if (this.#state === 'done') {
      slice.release()
      return
    }
    const { memberId, isRecordLimit, batchSize, maxRecordCount } = this.#params
    const batches = batchesOf(slice)
    const acquired = share.acquire(
      {
        owner: memberId,
        fetchOffset,
        batches,
        isRecordLimit,
        batchSize,
        maxRecordCount: maxRecordCount - this.#recordCount,
      },
      abortedBatches(batches, slice.abortedTransactions),
    )
    const first = acquired.spans[0]
    const last = acquired.spans.at(-1)
    if (first === undefined || last === undefined) {
      slice.release()
      return
    }
    const records = bytesBetween(batches, first.firstOffset, last.lastOffset)
    this.#recordCount += acquired.recordCount
    this.#byteLength += records.byteLength
    this.#results.push({
      topicId: share.key.topicId,
      partition: share.key.partition,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      records,
      acquired: acquired.spans,
      release: () => slice.release(),
    })
  }

  #fail(share: SharePartition, errorCode: ErrorCode): void {
    const { topicId, partition } = share.key
    if (this.#results.some((one) => one.topicId === topicId && one.partition === partition)) return
    this.#results.push({ topicId, partition, errorCode, errorMessage: null, ...NO_RECORDS })
  }

  /** Nothing came, and there is time left: others have the records now, or there were none. */
  #afterReads(readings: readonly Reading[]): void {
    const mustAnswer = this.#results.length > 0 || this.#isLastTry
    if (this.#state !== 'done' && mustAnswer) this.#answerAll(readings)
    const hasMissed = this.#mustRetry
    // What this sets off is for other fetches.
    for (const { share } of readings) share.unlock()
    this.#mustRetry = false
    if (this.isDone) return
    this.#state = 'waiting'
    const hasMoved = readings.some((one) => one.share.nextFetchOffset() !== one.fetchOffset)
    if (hasMissed || hasMoved) this.#try()
  }

  #answerAll(readings: readonly Reading[]): void {
    for (const { share } of readings) {
      const { topicId, partition } = share.key
      if (this.#results.some((one) => one.topicId === topicId && one.partition === partition)) {
        continue
      }
      const facts = { topicId, partition, errorCode: ErrorCode.NONE, errorMessage: null }
      this.#results.push({ ...facts, ...NO_RECORDS })
    }
    this.#finish()
  }

  #finish(): void {
    this.#stopWaiting()
    this.#state = 'done'
    this.#done(this.#results)
  }

  #stopWaiting(): void {
    this.#timer?.cancel()
    this.#timer = null
    for (const unwatch of this.#unwatch.splice(0)) unwatch()
  }
}

function errorOf(share: SharePartition): ErrorCode {
  if (share.partition.availability !== ErrorCode.NONE) return share.partition.availability
  return share.isClosed ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.NONE
}
