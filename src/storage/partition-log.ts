import { ErrorCode } from '../base/error-code.ts'
import { BrokerError, StorageError } from '../base/errors.ts'
import type {
  ActiveProducer,
  AppendRequest,
  AppendResult,
  EpochEndOffset,
  LogConfig,
  LogListener,
  LogSlice,
  PartitionLog,
  ReadRequest,
  TimestampOffset,
} from '../ports/partition-log.ts'
import {
  lastOffsetDeltaOf,
  maxTimestampOf,
  NO_PRODUCER_ID,
  patchBaseOffset,
  patchLeaderEpoch,
  producerIdOf,
} from '../records/record-batch.ts'
import type { LeaderEpochCache } from './leader-epoch-cache.ts'
import type { LogContext } from './log-context.ts'
import type { ProducerEntry } from './producers/producer-entry.ts'
import type { ProducerCheck, ProducerState } from './producers/producer-state.ts'
import { LogReader, type ReadDone } from './read/log-reader.ts'
import type { LoadedLog } from './recovery/log-recovery.ts'
import { deleteSegmentsBelowStart } from './retention/segment-deletion.ts'
import type { LogSegment } from './segment/log-segment.ts'
import type { LogSegments } from './segment/log-segments.ts'
import { findLargestTimestamp, findOffsetForTimestamp } from './segment/timestamp-search.ts'
import { LogWriter } from './write/log-writer.ts'
import { PendingBatch } from './write/pending-batch.ts'

/** What a log asks of the data directory it is in. */
export interface LogHome {
  /** Resolves when the log starts of all logs survive a crash. */
  saveLogStarts(): Promise<void>
  /** Removes files after a while. */
  removeLater(paths: readonly string[], delayMs: number): void
  /** The segment from this offset on ends: what is on disk must not say that all of it is safe. */
  beforeRoll(baseOffset: number): void
  /** Runs retention again, for what had to be made safe first. */
  deleteExpiredSoon(): void
}

/**
 * A partition's log in files. The life of a produce: `append` checks the producer, gives offsets and
 * puts the batch on the list of this turn; at the end of the turn the LogWriter writes the list with
 * one system call; then one fdatasync, shared with whatever else waits, makes it durable; then the
 * high watermark moves, waiters are told and readers see it.
 */
export class FilePartitionLog implements PartitionLog {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly directory: string
  readonly segments: LogSegments
  readonly epochs: LeaderEpochCache
  readonly producers: ProducerState
  readonly context: LogContext
  readonly home: LogHome
  readonly writer: LogWriter
  readonly listener: LogListener
  config: LogConfig
  /** A compacted segment is being put in place: no files may be deleted. */
  isSwapping = false
  #leaderEpoch: number
  #logStartOffset: number
  /** What DeleteRecords asked for and is being written; -1: nothing. */
  #requestedLogStart = -1
  readonly #reader: LogReader
  readonly #result: AppendResult = {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    baseOffset: -1,
    lastOffset: -1,
    logAppendTimeMs: -1,
    isDuplicate: false,
  }

  constructor(
    context: LogContext,
    home: LogHome,
    identity: { topic: string; topicId: string; partition: number; leaderEpoch: number },
    directory: string,
    loaded: LoadedLog,
    config: LogConfig,
    listener: LogListener,
  ) {
    this.context = context
    this.home = home
    this.topic = identity.topic
    this.topicId = identity.topicId
    this.partition = identity.partition
    this.#leaderEpoch = identity.leaderEpoch
    this.directory = directory
    this.config = config
    this.listener = listener
    this.segments = loaded.segments
    this.epochs = loaded.epochs
    this.producers = loaded.producers
    this.#logStartOffset = loaded.logStartOffset
    this.#reader = new LogReader(context, loaded.segments)
    this.writer = new LogWriter(this, loaded)
    loaded.segments.use(loaded.segments.active)
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** What a checkpoint has to say: where the log starts, or will once that is written. */
  get logStartToSave(): number {
    return Math.max(this.#logStartOffset, this.#requestedLogStart)
  }

  get logEndOffset(): number {
    return this.writer.endOffset
  }

  get highWatermark(): number {
    return this.writer.highWatermark
  }

  get lastStableOffset(): number {
    const unstable = this.producers.transactions.firstUnstableOffset
    const { highWatermark } = this.writer
    return unstable < 0 ? highWatermark : Math.min(unstable, highWatermark)
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  get sizeBytes(): number {
    return this.segments.sizeBytes
  }

  get visibleBytes(): number {
    return this.writer.visibleBytes
  }

  get isFailed(): boolean {
    return this.writer.failure !== null
  }

  get isOverloaded(): boolean {
    return this.context.pacer.isOverloaded
  }

  append(request: AppendRequest): AppendResult {
    const { writer } = this
    const { batch } = request
    if (writer.failure !== null)
      return this.#refuse(ErrorCode.KAFKA_STORAGE_ERROR, writer.failure.message)
    const producerId = producerIdOf(batch, 0)
    const isTracked = producerId !== NO_PRODUCER_ID
    if (isTracked) {
      const check = this.producers.check(batch, request.isFromCoordinator)
      if (check.isDuplicate) return this.#answerDuplicate(request, check)
      if (check.errorCode !== ErrorCode.NONE)
        return this.#refuse(check.errorCode, check.errorMessage)
    }
    const baseOffset = writer.endOffset
    const lastOffset = baseOffset + lastOffsetDeltaOf(batch, 0)
    patchBaseOffset(batch, 0, baseOffset)
    patchLeaderEpoch(batch, 0, this.#leaderEpoch)
    if (this.epochs.latestEpoch < this.#leaderEpoch)
      this.epochs.assign(this.#leaderEpoch, baseOffset)
    const pending = new PendingBatch(
      batch,
      request.lease,
      baseOffset,
      lastOffset,
      this.#reader.tail,
      maxTimestampOf(batch, 0),
    )
    if (isTracked) {
      pending.undo = this.producers.save(producerId)
      pending.aborted = this.producers.update(batch, 0)
    }
    writer.add(pending)
    if (request.safety !== 'none')
      writer.wait(request.safety, request.waiter, request.slot, lastOffset)
    const result = this.#result
    result.errorCode = ErrorCode.NONE
    result.errorMessage = null
    result.baseOffset = baseOffset
    result.lastOffset = lastOffset
    result.logAppendTimeMs = request.logAppendTimeMs
    result.isDuplicate = false
    return result
  }

  read(request: ReadRequest, done: ReadDone): LogSlice | null {
    const { readableOffset } = this.writer
    return this.#reader.read(
      request.endOffset <= readableOffset ? request : { ...request, endOffset: readableOffset },
      done,
    )
  }

  bytesFrom(offset: number): number {
    if (offset >= this.highWatermark) return 0
    const { tail } = this.#reader
    const tailOffset = tail.firstOffset
    if (tailOffset >= 0 && tailOffset <= offset) {
      const position = tail.at(tail.indexOf(offset))?.position ?? 0
      return Math.max(0, this.writer.visibleBytes - position)
    }
    let index = this.segments.indexOf(offset)
    const first = this.segments.at(index) ?? this.segments.active
    const { offsets } = this.segments.use(first).indexes
    let bytes = first.sizeBytes - offsets.lookup(offset)
    for (let next = this.segments.at(++index); next !== undefined; next = this.segments.at(++index))
      bytes += next.sizeBytes
    return Math.max(0, bytes - this.writer.hiddenBytes)
  }

  offsetForTimestamp(timestampMs: number, endOffset: number): Promise<TimestampOffset | null> {
    return findOffsetForTimestamp(this, this.segments, timestampMs, endOffset)
  }

  maxTimestamp(endOffset: number): Promise<TimestampOffset | null> {
    return findLargestTimestamp(this, this.segments, endOffset)
  }

  endOffsetForEpoch(leaderEpoch: number): EpochEndOffset | null {
    return this.epochs.endOffsetFor(leaderEpoch, this.#leaderEpoch, this.logEndOffset)
  }

  epochForOffset(offset: number): number {
    return this.epochs.epochForOffset(offset)
  }

  setLeaderEpoch(leaderEpoch: number): void {
    this.#leaderEpoch = leaderEpoch
  }

  async deleteRecordsBefore(offset: number): Promise<void> {
    if (offset > this.highWatermark)
      throw new BrokerError(
        ErrorCode.OFFSET_OUT_OF_RANGE,
        `offset ${offset} is above the high watermark ${this.highWatermark}`,
      )
    // Nobody may see it before it is safe: a log start never goes back.
    this.#requestedLogStart = Math.max(this.#requestedLogStart, offset)
    try {
      await this.home.saveLogStarts()
    } catch (error) {
      this.#requestedLogStart = -1
      throw error
    }
    this.advanceLogStart(offset)
    // Not what is too old: as in Kafka the answer is the offset that was asked for.
    deleteSegmentsBelowStart(this)
  }

  /** Moves the log start up; nothing happens when it is there already. */
  advanceLogStart(offset: number): void {
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    this.epochs.truncateFromStart(offset)
    this.listener.logAdvanced(this)
  }

  configure(config: LogConfig): void {
    this.config = config
    this.writer.configured()
  }

  activeProducers(): readonly ActiveProducer[] {
    return Array.from(this.producers.entries, activeProducerOf)
  }

  activeProducer(producerId: number): ActiveProducer | undefined {
    const entry = this.producers.entry(producerId)
    return entry === undefined ? undefined : activeProducerOf(entry)
  }

  /** All below it survives a power failure, with the indexes and snapshots of it. */
  get recoveryPoint(): number {
    if (this.writer.isClosedCleanly) return this.writer.endOffset
    const unsealed = this.segments.all.find((segment) => !segment.isSealed)
    return (unsealed ?? this.segments.active).baseOffset
  }

  /** Takes segments that were compacted out, and the one made of them in. */
  replaceSegments(group: readonly LogSegment[], compacted: LogSegment): void {
    this.segments.replace(group, compacted)
    for (const segment of group) segment.retire()
    const next = this.segments.at(this.segments.indexOf(compacted.baseOffset) + 1)
    // What is in memory may be of an aborted transaction that the indexes forget one day.
    this.context.tail.drop(this.#reader.tail, next?.baseOffset)
  }

  /** Writes the epochs if they are newer than their file. */
  saveEpochs(): void {
    if (!this.epochs.isDirty || this.isFailed) return
    this.context.beforeWrite()
    this.epochs.save(this.context.fs, this.directory)
  }

  /** Takes no more appends and makes all that came before durable, with exact indexes. */
  async close(): Promise<void> {
    await this.writer.close()
    this.#letGo()
  }

  /** Lets go of everything without writing; for a log whose files go away. */
  abandon(): void {
    this.writer.fail(new StorageError(`the log ${this.directory} was deleted`), true)
    this.#letGo()
  }

  #letGo(): void {
    this.context.tail.drop(this.#reader.tail)
    for (const segment of this.segments.all) segment.retire()
  }

  #answerDuplicate(request: AppendRequest, check: ProducerCheck): AppendResult {
    if (request.safety !== 'none')
      this.writer.wait(request.safety, request.waiter, request.slot, check.lastOffset)
    this.writer.schedule()
    const result = this.#result
    result.errorCode = ErrorCode.NONE
    result.errorMessage = null
    result.baseOffset = check.firstOffset
    result.lastOffset = check.lastOffset
    result.logAppendTimeMs = check.timestampMs
    result.isDuplicate = true
    return result
  }

  #refuse(errorCode: ErrorCode, errorMessage: string | null): AppendResult {
    const result = this.#result
    result.errorCode = errorCode
    result.errorMessage = errorMessage
    result.baseOffset = -1
    result.lastOffset = -1
    result.logAppendTimeMs = -1
    result.isDuplicate = false
    return result
  }
}

function activeProducerOf(entry: ProducerEntry): ActiveProducer {
  return {
    producerId: entry.producerId,
    producerEpoch: entry.epoch,
    lastSequence: entry.lastSequence,
    lastTimestampMs: entry.lastTimestampMs,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTransactionFirstOffset: entry.transactionFirstOffset,
  }
}
