import { ErrorCode } from '../../base/error-code.ts'
import { StorageError } from '../../base/errors.ts'
import type { AppendSafety, AppendWaiter } from '../../ports/partition-log.ts'
import { isOutOfSpace } from '../out-of-space.ts'
import type { ProducerSnapshots } from '../producers/producer-snapshots.ts'
import type { LoadedLog } from '../recovery/log-recovery.ts'
import { afterTurns } from './after-turns.ts'
import { writeForCleanStop } from './clean-stop.ts'
import { LazyTimer } from './lazy-timer.ts'
import { LogSyncer } from './log-syncer.ts'
import type { PendingBatch } from './pending-batch.ts'
import { PendingBatches } from './pending-batches.ts'
import { SegmentRoller } from './segment-roller.ts'
import { WaiterQueue } from './waiter-queue.ts'
import { WriteProgress } from './write-progress.ts'
import type { WrittenLog } from './written-log.ts'

/** While a sync is in flight, so much is collected for the next write unless somebody waits for it. */
const MAX_HELD_BYTES = 4 * 1024 * 1024
/** A sync that takes longer hangs: what was collected goes into the page cache without it. */
const MAX_HOLD_MS = 100
/**
 * Turns of the event loop between a sync and the next, some 50 µs: who was just answered sends more,
 * and shares that sync. Without it one half of them always waits for the other half.
 */
const GATHER_TURNS = 5
/** Larger values of `flush.ms` mean never. */
const LONGEST_TIMER_MS = 0x7fff_ffff

/** The write side of a log: the list of a turn, the write, the sync, and who waits for which. */
export class LogWriter {
  /** Why the log takes no more appends. */
  failure: Error | null = null
  /** Everything is on disk, with exact indexes. */
  isClosedCleanly = false
  endOffset: number
  readonly #log: WrittenLog
  readonly #snapshots: ProducerSnapshots
  readonly #syncer: LogSyncer
  readonly #roller: SegmentRoller
  readonly #written = new WaiterQueue()
  readonly #durable = new WaiterQueue()
  readonly #pending: PendingBatches
  readonly #progress: WriteProgress
  #isScheduled = false
  #isWriting = false
  /** A clean stop must write what goes with the last segment. */
  #isChanged: boolean
  #isDiskFull = false
  readonly #flushTimer: LazyTimer
  readonly #holdTimer: LazyTimer
  /** Who waits until nothing is under way. */
  #idle: (() => void)[] = []
  /** Who waits for the end of a sync, or of the log. */
  #sync: (() => void)[] = []

  constructor(log: WrittenLog, loaded: LoadedLog) {
    this.#log = log
    this.#snapshots = loaded.snapshots
    this.#pending = new PendingBatches(log.context.pacer)
    this.endOffset = loaded.logEndOffset
    this.#progress = new WriteProgress(loaded.logEndOffset)
    this.#isChanged = loaded.isRepaired
    this.#syncer = new LogSyncer(log.context, log.directory, (error, endOffset) =>
      this.#synced(error, endOffset),
    )
    this.#flushTimer = new LazyTimer(log.context.scheduler, () => {
      if (this.failure === null && this.#needsSync && !this.#syncer.isInFlight) this.#startSync()
    })
    this.#holdTimer = new LazyTimer(log.context.scheduler, () => {
      if (this.failure === null && !this.#isWriting) this.#writePending()
    })
    this.#roller = new SegmentRoller(log, loaded.snapshots, this.#pending, this.#syncer, () =>
      this.#mayRoll(),
    )
  }

  get highWatermark(): number {
    return this.#progress.highWatermark
  }

  /** Bytes that came below the high watermark since the log was opened. */
  get visibleBytes(): number {
    return this.#progress.visibleBytes
  }

  /** Bytes written since the log was opened, but not below the high watermark yet. */
  get hiddenBytes(): number {
    return this.#progress.writtenBytes - this.#progress.visibleBytes
  }

  /** Readers may not go beyond it: the rest is not in the file, or may be lost with it. */
  get readableOffset(): number {
    return this.failure === null ? this.#progress.writtenOffset : this.highWatermark
  }

  add(batch: PendingBatch): void {
    this.#pending.add(batch)
    this.endOffset = batch.lastOffset + 1
    this.schedule()
  }

  wait(safety: AppendSafety, waiter: AppendWaiter, slot: number, lastOffset: number): void {
    const queue = safety === 'durable' ? this.#durable : this.#written
    queue.push(waiter, slot, lastOffset)
  }

  /** Makes the end of this turn write what is pending, and tell who need not wait longer. */
  schedule(turnCount = 1): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    afterTurns(this.#log.context.scheduler, turnCount, this.#endOfTurn)
  }

  configured(): void {
    if (this.failure !== null) return
    // It counts from the old `flush.ms`.
    this.#flushTimer.stop()
    this.#syncIfDue()
    if (this.#log.config.durability === 'os') this.#advance()
    else this.schedule()
  }

  /** Rolls to a new segment, so that retention can take the last one. */
  roll(): void {
    if (this.failure !== null || this.#isWriting || this.#log.segments.active.sizeBytes === 0)
      return
    if (!this.#mayRoll()) return
    this.#log.context.beforeWrite()
    this.#roller.roll(this.#progress.writtenOffset)
    if (!this.#syncer.isInFlight) this.#startSync()
  }

  /** Rolls, and resolves when all before the new segment is safe on disk, or the log failed. */
  async rollAndSync(): Promise<void> {
    const { endOffset } = this
    this.#roller.mustRollBelow = endOffset
    while (this.failure === null && this.#log.recoveryPoint < endOffset) {
      if (!this.#isWriting && this.#pending.isEmpty) this.roll()
      await new Promise<void>((resolve) => {
        this.#sync.push(resolve)
      })
    }
  }

  async close(): Promise<void> {
    if (this.failure === null && !this.#isWriting) this.#writePending()
    await this.#untilIdle()
    while (this.failure === null && this.#needsSync) {
      this.#startSync()
      await this.#untilIdle()
    }
    if (this.failure !== null) return
    this.#flushTimer.stop()
    const { active } = this.#log.segments
    if (active.trim()) active.handle.dataSyncNow()
    if (this.#isChanged) writeForCleanStop(this.#log, this.#snapshots, this.endOffset)
    this.isClosedCleanly = true
    this.failure = new StorageError(`the log ${this.#log.directory} is closed`)
  }

  /** Takes no more appends, tells all waiters; what is durable can still be read. */
  fail(error: Error, isExpected = false): void {
    if (this.failure !== null) return
    this.failure = error
    this.#flushTimer.stop()
    this.#pending.discard(() => {})
    if (!isExpected) {
      this.#log.context.metrics.failedLogs.add()
      this.#log.context.logger.error('a log is offline until the broker is restarted', {
        directory: this.#log.directory,
        error: error.message,
      })
    }
    this.#written.refuseFrom(0, ErrorCode.KAFKA_STORAGE_ERROR)
    this.#durable.refuseFrom(0, ErrorCode.KAFKA_STORAGE_ERROR)
    this.#becameIdle()
    for (const tell of this.#sync.splice(0)) tell()
    if (!isExpected) this.#log.listener.logFailed(this.#log, error)
  }

  readonly #endOfTurn = (): void => {
    this.#isScheduled = false
    if (this.#isWriting || this.failure !== null) return
    if (this.#mayHold()) this.#holdTimer.start(MAX_HOLD_MS)
    else this.#writePending()
  }

  /** Appends that only wait for a sync may as well wait for the one in flight: fewer writes. */
  #mayHold(): boolean {
    return (
      this.#syncer.isInFlight &&
      this.#written.isEmpty &&
      this.#log.config.durability === 'fsync' &&
      this.#pending.byteCount < MAX_HELD_BYTES
    )
  }

  #writePending(): void {
    const { context, segments, config } = this.#log
    if (!this.#pending.isEmpty) {
      if (!context.segments.admit(segments.active, this.#admitted)) {
        this.#isWriting = true
        return
      }
      this.#isChanged = true
      context.beforeWrite()
    }
    while (!this.#pending.isEmpty) {
      let count: number
      try {
        count = this.#roller.nextRun()
        if (count === 0) return
        const { active } = segments
        active.isSyncPromised = config.durability === 'fsync'
        segments.use(active)
        const pieces = this.#pending.buffers(count)
        const startedMs = context.pacer.nowMs()
        // Without syncs of our own, only slow writes tell that too much is unwritten.
        const unsyncedBytes = config.durability === 'fsync' ? this.#progress.unsyncedBytes : 0
        if (!context.pacer.mayBlock(unsyncedBytes, startedMs)) {
          this.#writeLater(pieces, count)
          return
        }
        active.handle.writeNow(pieces, active.sizeBytes)
        context.pacer.observe(byteCountOf(pieces), startedMs)
      } catch (error) {
        this.#writeFailed(error as Error)
        return
      }
      this.#runWritten(count)
    }
    this.#afterWrite()
  }

  /** There is an open file for this log again. */
  readonly #admitted = (): void => {
    this.#isWriting = false
    if (this.failure !== null) this.#becameIdle()
    else this.#writePending()
  }

  #writeLater(pieces: readonly Buffer[], count: number): void {
    const { active } = this.#log.segments
    // Opening it may fail: then nothing is under way.
    const { handle } = active
    this.#isWriting = true
    active.pin()
    handle.write(pieces, active.sizeBytes, (error) => {
      this.#isWriting = false
      active.unpin()
      if (this.failure !== null) this.#becameIdle()
      else if (error !== null) this.#writeFailed(error)
      else {
        this.#runWritten(count)
        this.#writePending()
      }
    })
  }

  /**
   * A power failure that leaves a segment must not take the end of the one before: that would be a
   * gap, as compaction makes them, and nobody could tell. So what is synced comes first, if anybody
   * waits for syncs at all; if it is not, its sync begins.
   */
  #mayRoll(): boolean {
    if (this.#log.config.durability === 'os' || !this.#needsSync) return true
    if (!this.#syncer.isInFlight) this.#startSync()
    return false
  }

  #runWritten(count: number): void {
    const { context, segments, producers, config } = this.#log
    const { active } = segments
    const startBytes = this.#progress.writtenBytes
    for (let i = 0; i < count; i++) {
      const batch = this.#pending.shift()
      const bytes = batch.buffer.byteLength
      batch.position = this.#progress.writtenBytes
      active.appended(bytes, batch.lastOffset, batch.timestampMs, config.indexIntervalBytes)
      if (batch.aborted !== null) active.indexes.transactions.append(batch.aborted)
      if (batch.undo !== null) producers.discard(batch.undo)
      batch.undo = null
      this.#progress.writtenOffset = batch.lastOffset + 1
      this.#progress.writtenBytes += bytes
      context.tail.add(batch)
    }
    this.#isDiskFull = false
    context.metrics.writes.add()
    context.metrics.writtenBytes.add(this.#progress.writtenBytes - startBytes)
  }

  #afterWrite(): void {
    this.#written.tellBelow(this.#progress.writtenOffset, ErrorCode.NONE)
    this.#syncIfDue()
    this.#advance()
    this.#becameIdle()
  }

  get #needsSync(): boolean {
    const { syncedOffset, writtenOffset } = this.#progress
    return syncedOffset < writtenOffset || this.#syncer.hasRolled
  }

  #syncIfDue(): void {
    if (this.#syncer.isInFlight || !this.#needsSync) return
    const { durability, flushMessages, flushMs } = this.#log.config
    const isDue =
      durability === 'fsync' ||
      this.#syncer.hasRolled ||
      this.#progress.writtenOffset - this.#progress.syncedOffset >= flushMessages
    if (isDue) this.#startSync()
    else if (flushMs < LONGEST_TIMER_MS) this.#flushTimer.start(flushMs)
  }

  #startSync(): void {
    this.#progress.syncStarted()
    this.#syncer.start(this.#log.segments.active, this.#progress.writtenOffset)
  }

  #synced(error: Error | null, endOffset: number): void {
    this.#syncEnded(error, endOffset)
    for (const tell of this.#sync.splice(0)) tell()
  }

  #syncEnded(error: Error | null, endOffset: number): void {
    if (this.failure !== null) {
      this.#becameIdle()
      return
    }
    // The kernel may have dropped what it could not write: a second try would not tell.
    if (error !== null) {
      this.fail(error)
      return
    }
    this.#progress.synced(endOffset)
    this.#advance()
    if (!this.#isWriting && !this.#pending.isEmpty) this.schedule(GATHER_TURNS)
    else this.#syncIfDue()
    this.#becameIdle()
  }

  /** Moves the high watermark to what is as safe as promised, and tells who waited for that. */
  #advance(): void {
    const hasMoved = this.#progress.advance(this.#log.config.durability !== 'os')
    const { highWatermark } = this.#progress
    if (hasMoved) this.#log.producers.transactions.highWatermarkMoved(highWatermark)
    this.#durable.tellBelow(highWatermark, ErrorCode.NONE)
    if (hasMoved) this.#log.listener.logAdvanced(this.#log)
  }

  /** A full disk refuses this turn's appends and nothing else; any other error ends the log. */
  #writeFailed(error: Error): void {
    if (!isOutOfSpace(error)) {
      this.fail(error)
      return
    }
    const { active } = this.#log.segments
    const { context, epochs, producers } = this.#log
    try {
      active.handle.truncate(active.sizeBytes)
    } catch (truncateError) {
      this.fail(truncateError as Error)
      return
    }
    context.metrics.refusedAppends.add(this.#pending.length)
    this.#pending.discard((known) => producers.undo(known))
    this.endOffset = this.#progress.writtenOffset
    epochs.truncateFromEnd(this.#progress.writtenOffset)
    if (!this.#isDiskFull)
      context.logger.error('the disk is full: appends are refused until there is space', {
        directory: this.#log.directory,
        error: error.message,
      })
    this.#isDiskFull = true
    this.#written.refuseFrom(this.#progress.writtenOffset, ErrorCode.KAFKA_STORAGE_ERROR)
    this.#durable.refuseFrom(this.#progress.writtenOffset, ErrorCode.KAFKA_STORAGE_ERROR)
    this.#afterWrite()
  }

  get #isIdle(): boolean {
    if (this.#isWriting || this.#syncer.isInFlight) return false
    return this.failure !== null || this.#pending.isEmpty
  }

  #becameIdle(): void {
    if (!this.#isIdle) return
    for (const tell of this.#idle.splice(0)) tell()
  }

  #untilIdle(): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idle.push(resolve)
    })
  }
}

function byteCountOf(pieces: readonly Buffer[]): number {
  let byteCount = 0
  for (const { byteLength } of pieces) byteCount += byteLength
  return byteCount
}
