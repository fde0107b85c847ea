import { ErrorCode } from '../../base/error-code.ts'
import { StorageError } from '../../base/errors.ts'
import type { AppendSafety, AppendWaiter } from '../../ports/partition-log.ts'
import type { Timer } from '../../ports/scheduler.ts'
import { isOutOfSpace } from '../out-of-space.ts'
import type { ProducerEntrySnapshot } from '../producers/producer-entry.ts'
import type { ProducerSnapshots } from '../producers/producer-snapshots.ts'
import type { LoadedLog } from '../recovery/log-recovery.ts'
import { UnsyncedFiles } from '../segment/unsynced-files.ts'
import { afterTurns } from './after-turns.ts'
import { LogSyncer } from './log-syncer.ts'
import type { PendingBatch } from './pending-batch.ts'
import { rollSegment } from './segment-roll.ts'
import { WaiterQueue } from './waiter-queue.ts'
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
  highWatermark: number
  /** Bytes that came below the high watermark since the log was opened. */
  visibleBytes = 0
  readonly #log: WrittenLog
  readonly #snapshots: ProducerSnapshots
  readonly #syncer: LogSyncer
  readonly #written = new WaiterQueue()
  readonly #durable = new WaiterQueue()
  #pending: PendingBatch[] = []
  #pendingFirst = 0
  #pendingBytes = 0
  #writtenOffset: number
  #syncedOffset: number
  /** Bytes written since the log was opened; what of it the sync in flight covers; what is synced. */
  #writtenBytes = 0
  #syncingBytes = 0
  #syncedBytes = 0
  #isScheduled = false
  #isWriting = false
  /** A clean stop must write what goes with the last segment. */
  #isChanged: boolean
  #isDiskFull = false
  #flushTimer: Timer | null = null
  #holdTimer: Timer | null = null
  /** Who waits until nothing is under way. */
  #idle: (() => void)[] = []
  /** Who waits for the end of a sync, or of the log. */
  #sync: (() => void)[] = []
  /** The last segment has to end if it begins below. */
  #mustRollBelow = -1

  constructor(log: WrittenLog, loaded: LoadedLog) {
    this.#log = log
    this.#snapshots = loaded.snapshots
    this.endOffset = loaded.logEndOffset
    this.highWatermark = loaded.logEndOffset
    this.#writtenOffset = loaded.logEndOffset
    this.#syncedOffset = loaded.logEndOffset
    this.#isChanged = loaded.isRepaired
    this.#syncer = new LogSyncer(log.context, log.directory, (error, endOffset) =>
      this.#synced(error, endOffset),
    )
  }

  /** Bytes written since the log was opened, but not below the high watermark yet. */
  get hiddenBytes(): number {
    return this.#writtenBytes - this.visibleBytes
  }

  /** Readers may not go beyond it: the rest is not in the file, or may be lost with it. */
  get readableOffset(): number {
    return this.failure === null ? this.#writtenOffset : this.highWatermark
  }

  add(batch: PendingBatch): void {
    batch.lease.retain()
    this.#pending.push(batch)
    this.#addPendingBytes(batch.buffer.byteLength)
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
    this.#flushTimer?.cancel()
    this.#flushTimer = null
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
    this.#roll(this.#writtenOffset)
    if (!this.#syncer.isInFlight) this.#startSync()
  }

  /** Rolls, and resolves when all before the new segment is safe on disk, or the log failed. */
  async rollAndSync(): Promise<void> {
    const { endOffset } = this
    this.#mustRollBelow = endOffset
    while (this.failure === null && this.#log.recoveryPoint < endOffset) {
      if (!this.#isWriting && this.#pending.length === 0) this.roll()
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
    this.#flushTimer?.cancel()
    const { segments, context, epochs, directory, producers } = this.#log
    if (segments.active.trim()) segments.active.handle.dataSyncNow()
    if (this.#isChanged) {
      const files = new UnsyncedFiles(context.fs)
      try {
        segments.active.writeIndexes(files)
        this.#snapshots.write(this.endOffset, producers.toSnapshot(), files)
        this.#snapshots.trim(this.endOffset)
        files.syncNow()
      } finally {
        files.close()
      }
      if (epochs.isDirty) epochs.save(context.fs, directory)
      else context.fs.syncDirectory(directory)
    }
    this.isClosedCleanly = true
    this.failure = new StorageError(`the log ${directory} is closed`)
  }

  /** Takes no more appends, tells all waiters; what is durable can still be read. */
  fail(error: Error, isExpected = false): void {
    if (this.failure !== null) return
    this.failure = error
    this.#flushTimer?.cancel()
    const pending = this.#takePending()
    for (const { lease } of pending) lease.release()
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
    if (this.#mayHold())
      this.#holdTimer ??= this.#log.context.scheduler.after(MAX_HOLD_MS, this.#holdIsOver)
    else this.#writePending()
  }

  readonly #holdIsOver = (): void => {
    this.#holdTimer = null
    if (!this.#isWriting && this.failure === null) this.#writePending()
  }

  /** Appends that only wait for a sync may as well wait for the one in flight: fewer writes. */
  #mayHold(): boolean {
    return (
      this.#syncer.isInFlight &&
      this.#written.isEmpty &&
      this.#log.config.durability === 'fsync' &&
      this.#pendingBytes < MAX_HELD_BYTES
    )
  }

  #writePending(): void {
    const { context, segments, config } = this.#log
    if (this.#pending.length > 0) {
      if (!context.segments.admit(segments.active, this.#admitted)) {
        this.#isWriting = true
        return
      }
      this.#isChanged = true
      context.beforeWrite()
    }
    while (this.#pendingFirst < this.#pending.length) {
      let count: number
      try {
        count = this.#nextRun()
        if (count === 0) return
        const { active } = segments
        active.isSyncPromised = config.durability === 'fsync'
        segments.use(active)
        const pieces: Buffer[] = []
        let byteCount = 0
        for (let i = 0; i < count; i++) {
          const { buffer } = this.#pending[this.#pendingFirst + i] as PendingBatch
          pieces.push(buffer)
          byteCount += buffer.byteLength
        }
        const startedMs = context.pacer.nowMs()
        // Without syncs of our own, only slow writes tell that too much is unwritten.
        const unsyncedBytes =
          config.durability === 'fsync' ? this.#writtenBytes - this.#syncedBytes : 0
        if (!context.pacer.mayBlock(unsyncedBytes, startedMs)) {
          this.#writeLater(pieces, count)
          return
        }
        active.handle.writeNow(pieces, active.sizeBytes)
        context.pacer.observe(byteCount, startedMs)
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
   * How many pending batches go into one write; rolls first when the segment is full.
   * @returns 0: the segment has to be synced first, then the writing goes on
   */
  #nextRun(): number {
    const { config, segments } = this.#log
    let runBytes = 0
    let count = 0
    for (let at = this.#pendingFirst; at < this.#pending.length; at++) {
      const { buffer, baseOffset, lastOffset, timestampMs } = this.#pending[at] as PendingBatch
      const bytes = runBytes + buffer.byteLength
      const mustRoll = this.#mustRollActive && segments.active.sizeBytes + runBytes > 0
      if (mustRoll || segments.active.isFullFor(bytes, lastOffset, timestampMs, config)) {
        if (count > 0) return count
        if (!this.#mayRoll()) return 0
        this.#roll(baseOffset)
      }
      count++
      runBytes = bytes
      // The first batch decides when an empty segment is full, so it goes alone.
      if (segments.active.sizeBytes === 0) return count
    }
    return count
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

  get #mustRollActive(): boolean {
    return this.#log.segments.active.baseOffset < this.#mustRollBelow
  }

  #runWritten(count: number): void {
    const { context, segments, producers, config } = this.#log
    const { active } = segments
    let byteCount = 0
    for (let i = 0; i < count; i++) {
      const batch = this.#pending[this.#pendingFirst++] as PendingBatch
      const bytes = batch.buffer.byteLength
      batch.position = this.#writtenBytes + byteCount
      byteCount += bytes
      active.appended(bytes, batch.lastOffset, batch.timestampMs, config.indexIntervalBytes)
      if (batch.aborted !== null) active.indexes.transactions.append(batch.aborted)
      if (batch.undo !== null) producers.discard(batch.undo)
      batch.undo = null
      this.#writtenOffset = batch.lastOffset + 1
      context.tail.add(batch)
    }
    if (this.#pendingFirst === this.#pending.length) {
      this.#pending.length = 0
      this.#pendingFirst = 0
    }
    this.#addPendingBytes(-byteCount)
    this.#writtenBytes += byteCount
    this.#isDiskFull = false
    context.metrics.writes.add()
    context.metrics.writtenBytes.add(byteCount)
  }

  #afterWrite(): void {
    this.#written.tellBelow(this.#writtenOffset, ErrorCode.NONE)
    this.#syncIfDue()
    this.#advance()
    this.#becameIdle()
  }

  get #needsSync(): boolean {
    return this.#syncedOffset < this.#writtenOffset || this.#syncer.hasRolled
  }

  #syncIfDue(): void {
    if (this.#syncer.isInFlight || !this.#needsSync) return
    const { durability, flushMessages, flushMs } = this.#log.config
    const isDue =
      durability === 'fsync' ||
      this.#syncer.hasRolled ||
      this.#writtenOffset - this.#syncedOffset >= flushMessages
    if (isDue) this.#startSync()
    else if (this.#flushTimer === null && flushMs < LONGEST_TIMER_MS) {
      this.#flushTimer = this.#log.context.scheduler.after(flushMs, () => {
        this.#flushTimer = null
        if (this.failure === null && this.#needsSync && !this.#syncer.isInFlight) this.#startSync()
      })
    }
  }

  #startSync(): void {
    this.#syncingBytes = this.#writtenBytes
    this.#syncer.start(this.#log.segments.active, this.#writtenOffset)
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
    this.#syncedOffset = Math.max(this.#syncedOffset, endOffset)
    this.#syncedBytes = this.#syncingBytes
    this.#advance()
    if (!this.#isWriting && this.#pending.length > 0) this.schedule(GATHER_TURNS)
    else this.#syncIfDue()
    this.#becameIdle()
  }

  /** Moves the high watermark to what is as safe as promised, and tells who waited for that. */
  #advance(): void {
    const isAsync = this.#log.config.durability === 'os'
    const safeOffset = isAsync ? this.#writtenOffset : this.#syncedOffset
    const hasMoved = safeOffset > this.highWatermark
    if (hasMoved) {
      this.highWatermark = safeOffset
      this.visibleBytes = isAsync ? this.#writtenBytes : this.#syncedBytes
      this.#log.producers.transactions.highWatermarkMoved(safeOffset)
    }
    this.#durable.tellBelow(this.highWatermark, ErrorCode.NONE)
    if (hasMoved) this.#log.listener.logAdvanced(this.#log)
  }

  #roll(baseOffset: number): void {
    const { segments, producers } = this.#log
    const old = segments.active
    const before = new Map<number, ProducerEntrySnapshot>()
    for (let at = this.#pending.length - 1; at >= this.#pendingFirst; at--) {
      const { undo } = this.#pending[at] as PendingBatch
      if (undo !== null) before.set(undo.producerId, undo)
    }
    const entries = producers.toSnapshot(before)
    this.#syncer.addRolled(old, rollSegment(this.#log, baseOffset, this.#snapshots, entries))
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
    const pending = this.#takePending()
    for (const { undo, lease } of pending.toReversed()) {
      if (undo !== null) producers.undo(undo)
      lease.release()
    }
    this.endOffset = this.#writtenOffset
    epochs.truncateFromEnd(this.#writtenOffset)
    context.metrics.refusedAppends.add(pending.length)
    if (!this.#isDiskFull)
      context.logger.error('the disk is full: appends are refused until there is space', {
        directory: this.#log.directory,
        error: error.message,
      })
    this.#isDiskFull = true
    this.#written.refuseFrom(this.#writtenOffset, ErrorCode.KAFKA_STORAGE_ERROR)
    this.#durable.refuseFrom(this.#writtenOffset, ErrorCode.KAFKA_STORAGE_ERROR)
    this.#afterWrite()
  }

  #takePending(): PendingBatch[] {
    const pending = this.#pending.slice(this.#pendingFirst)
    this.#pending = []
    this.#pendingFirst = 0
    this.#addPendingBytes(-this.#pendingBytes)
    return pending
  }

  #addPendingBytes(byteCount: number): void {
    this.#pendingBytes += byteCount
    this.#log.context.pacer.unwrittenBytes += byteCount
  }

  get #isIdle(): boolean {
    if (this.#isWriting || this.#syncer.isInFlight) return false
    return this.failure !== null || this.#pending.length === 0
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
