import { ErrorCode } from '../../../src/base/error-code.ts'
import type { Lease } from '../../../src/base/lease.ts'
import type {
  AbortedTransaction,
  ActiveProducer,
  AppendRequest,
  AppendResult,
  AppendSafety,
  AppendWaiter,
  EpochEndOffset,
  LogListener,
  LogSlice,
  PartitionLog,
  ReadRequest,
  TimestampOffset,
} from '../../../src/ports/partition-log.ts'
import {
  baseOffsetOf,
  lastOffsetDeltaOf,
  lastOffsetOf,
  maxTimestampOf,
  patchBaseOffset,
  patchLeaderEpoch,
} from '../../../src/records/record-batch.ts'

interface Pending {
  readonly lease: Lease
  readonly safety: AppendSafety
  readonly waiter: AppendWaiter
  readonly slot: number
}

type ReadDone = (error: Error | null, slice: LogSlice | null) => void

/**
 * A partition log whose disk the test moves: appends are safe when it calls `flush`, cold reads end
 * when it calls `finishReads`. It keeps the leases of what is not safe yet, and counts its slices.
 */
export class MemoryLog implements PartitionLog {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  logStartOffset = 0
  logEndOffset = 0
  highWatermark = 0
  leaderEpoch = 0
  visibleBytes = 0
  isFailed = false
  /** Appends wait for `flush`. */
  isSlow = false
  /** Reads wait for `finishReads`. */
  isCold = false
  /** First offset of an open transaction; null: none. */
  openTransactionOffset: number | null = null
  abortedTransactions: readonly AbortedTransaction[] = []
  /** What `activeProducers` tells; appends don't change it. */
  readonly producers = new Map<number, ActiveProducer>()
  /** The next append is refused with it. */
  nextAppendError: ErrorCode = ErrorCode.NONE
  deleteFailure: Error | null = null
  /** Searches by time fail with it. */
  searchError: Error | null = null
  /** Slices that were given and not released. */
  openSliceCount = 0
  readCount = 0
  readonly epochs: { epoch: number; startOffset: number }[] = [{ epoch: 0, startOffset: 0 }]
  readonly #batches: Buffer[] = []
  readonly #listener: LogListener
  #pending: Pending[] = []
  #reads: { request: ReadRequest; done: ReadDone }[] = []

  constructor(topic: string, topicId: string, partition: number, listener: LogListener) {
    this.topic = topic
    this.topicId = topicId
    this.partition = partition
    this.#listener = listener
  }

  get lastStableOffset(): number {
    return Math.min(this.openTransactionOffset ?? this.highWatermark, this.highWatermark)
  }

  get sizeBytes(): number {
    return this.#batches.reduce((total, batch) => total + batch.byteLength, 0)
  }

  get pendingReadCount(): number {
    return this.#reads.length
  }

  append({ batch, lease, safety, waiter, slot, logAppendTimeMs }: AppendRequest): AppendResult {
    const errorCode = this.nextAppendError
    this.nextAppendError = ErrorCode.NONE
    if (errorCode !== ErrorCode.NONE) return appended(errorCode, -1, -1, -1)
    const baseOffset = this.logEndOffset
    patchBaseOffset(batch, 0, baseOffset)
    patchLeaderEpoch(batch, 0, this.leaderEpoch)
    this.logEndOffset += lastOffsetDeltaOf(batch, 0) + 1
    this.#batches.push(Buffer.from(batch))
    lease.retain()
    this.#pending.push({ lease, safety, waiter, slot })
    if (!this.isSlow) queueMicrotask(() => this.flush())
    return appended(ErrorCode.NONE, baseOffset, this.logEndOffset - 1, logAppendTimeMs)
  }

  /** All that was appended is safe now. */
  flush(errorCode: ErrorCode = ErrorCode.NONE): void {
    for (const { lease, safety, waiter, slot } of this.#pending.splice(0)) {
      lease.release()
      if (safety !== 'none') waiter.appendDone(slot, errorCode)
    }
    if (errorCode !== ErrorCode.NONE || this.highWatermark === this.logEndOffset) return
    this.visibleBytes += this.bytesFrom(this.highWatermark, this.logEndOffset)
    this.highWatermark = this.logEndOffset
    this.#listener.logAdvanced(this)
  }

  /** As after damage: batches that end at or behind the offset are not there any more. */
  loseFrom(offset: number): void {
    const kept = this.#batches.filter((batch) => lastOffsetOf(batch, 0) < offset)
    this.#batches.splice(0, Infinity, ...kept)
    const last = kept.at(-1)
    this.logEndOffset = last === undefined ? this.logStartOffset : lastOffsetOf(last, 0) + 1
    this.highWatermark = this.logEndOffset
  }

  /** The disk broke. */
  fail(): void {
    this.isFailed = true
    this.flush(ErrorCode.KAFKA_STORAGE_ERROR)
    this.#listener.logFailed(this, new Error('the disk broke'))
  }

  /** The transaction that held `lastStableOffset` back is decided. */
  endTransaction(): void {
    this.openTransactionOffset = null
    this.#listener.logAdvanced(this)
  }

  read(request: ReadRequest, done: ReadDone): LogSlice | null {
    this.readCount++
    if (!this.isCold) return this.#slice(request)
    this.#reads.push({ request, done })
    return null
  }

  finishReads(error: Error | null = null): void {
    for (const { request, done } of this.#reads.splice(0)) {
      done(error, error === null ? this.#slice(request) : null)
    }
  }

  bytesFrom(offset: number, endOffset: number = this.highWatermark): number {
    return this.#batches
      .filter((batch) => lastOffsetOf(batch, 0) >= offset && baseOffsetOf(batch, 0) < endOffset)
      .reduce((total, batch) => total + batch.byteLength, 0)
  }

  async offsetForTimestamp(
    timestampMs: number,
    endOffset: number,
  ): Promise<TimestampOffset | null> {
    if (this.searchError !== null) throw this.searchError
    return this.#timestamps(endOffset).find((found) => found.timestampMs >= timestampMs) ?? null
  }

  async maxTimestamp(endOffset: number): Promise<TimestampOffset | null> {
    if (this.searchError !== null) throw this.searchError
    let largest: TimestampOffset | null = null
    for (const found of this.#timestamps(endOffset)) {
      if (found.timestampMs > (largest?.timestampMs ?? -1)) largest = found
    }
    return largest
  }

  endOffsetForEpoch(leaderEpoch: number): EpochEndOffset | null {
    if (leaderEpoch > this.leaderEpoch) return null
    const next = this.epochs.find(({ epoch }) => epoch > leaderEpoch)
    const own = this.epochs.findLast(({ epoch }) => epoch <= leaderEpoch)
    if (own === undefined) return null
    return { leaderEpoch: own.epoch, endOffset: next?.startOffset ?? this.logEndOffset }
  }

  epochForOffset(offset: number): number {
    return this.epochs.findLast(({ startOffset }) => startOffset <= offset)?.epoch ?? -1
  }

  setLeaderEpoch(leaderEpoch: number): void {
    this.leaderEpoch = leaderEpoch
    this.epochs.push({ epoch: leaderEpoch, startOffset: this.logEndOffset })
  }

  async deleteRecordsBefore(offset: number): Promise<void> {
    if (this.deleteFailure !== null) throw this.deleteFailure
    this.logStartOffset = Math.max(this.logStartOffset, offset)
    this.#listener.logAdvanced(this)
  }

  configure(): void {}

  activeProducers(): readonly ActiveProducer[] {
    return [...this.producers.values()]
  }

  activeProducer(producerId: number): ActiveProducer | undefined {
    return this.producers.get(producerId)
  }

  #timestamps(endOffset: number): TimestampOffset[] {
    return this.#batches
      .map((batch) => ({
        timestampMs: maxTimestampOf(batch, 0),
        offset: baseOffsetOf(batch, 0),
        leaderEpoch: this.epochForOffset(baseOffsetOf(batch, 0)),
      }))
      .filter(({ offset }) => offset >= this.logStartOffset && offset < endOffset)
  }

  #slice({ offset, endOffset, maxBytes, atLeastOne, includeAborted }: ReadRequest): LogSlice {
    const pieces: Buffer[] = []
    let byteLength = 0
    for (const batch of this.#batches) {
      if (lastOffsetOf(batch, 0) < offset) continue
      if (baseOffsetOf(batch, 0) >= endOffset) break
      const isFirst = atLeastOne && pieces.length === 0
      if (!isFirst && byteLength + batch.byteLength > maxBytes) break
      pieces.push(batch)
      byteLength += batch.byteLength
    }
    this.openSliceCount++
    let isReleased = false
    return {
      pieces,
      byteLength,
      abortedTransactions: includeAborted ? this.abortedTransactions : null,
      release: () => {
        if (isReleased) throw new Error('a slice was released twice')
        isReleased = true
        this.openSliceCount--
      },
    }
  }
}

function appended(
  errorCode: ErrorCode,
  baseOffset: number,
  lastOffset: number,
  logAppendTimeMs: number,
): AppendResult {
  const isDuplicate = false
  return { errorCode, errorMessage: null, baseOffset, lastOffset, logAppendTimeMs, isDuplicate }
}
