import { StorageError } from '../base/errors.ts'
import type { CleanerConfig } from '../ports/cleaner-config.ts'
import type { Clock } from '../ports/clock.ts'
import type { FileLock, FileSystem } from '../ports/file-system.ts'
import type { LogIdentity, LogStore } from '../ports/log-store.ts'
import type { Logger } from '../ports/logger.ts'
import type { Meter } from '../ports/meter.ts'
import type { LogConfig, LogListener, PartitionLog } from '../ports/partition-log.ts'
import type { Random } from '../ports/random.ts'
import type { Scheduler, Timer } from '../ports/scheduler.ts'
import type { SegmentCleaner } from '../ports/segment-cleaner.ts'
import { CleanerCheckpoint } from './cleaner/cleaner-checkpoint.ts'
import { LogCleaner } from './cleaner/log-cleaner.ts'
import type { CleaningResult } from './cleaner/log-cleaning.ts'
import {
  DataDirectory,
  HIGH_WATERMARK_FILE,
  LOCK_FILE,
  LOG_START_FILE,
  type PartitionOffset,
  RECOVERY_POINT_FILE,
} from './data-directory.ts'
import type { LogContext } from './log-context.ts'
import {
  isDeletedDirectory,
  LOG_SUFFIX,
  PARTITION_METADATA_FILE,
  parsePartitionDirectory,
  partitionDirectoryName,
  retiredDirectoryName,
} from './log-files.ts'
import { makeDirectories, type NewDirectory, partitionMetadataOf } from './new-directories.ts'
import { FilePartitionLog } from './partition-log.ts'
import { ReadBuffers } from './read/read-buffers.ts'
import { ReadLanes } from './read/read-lanes.ts'
import { TailCache } from './read/tail-cache.ts'
import { loadLog } from './recovery/log-recovery.ts'
import { FileRemover } from './retention/file-remover.ts'
import { deleteSegmentsBelowStart, startAfterRetention } from './retention/segment-deletion.ts'
import { SegmentCache } from './segment/segment-cache.ts'
import { makeStorageMetrics } from './storage-metrics.ts'
import { WritePacer } from './write/write-pacer.ts'

export interface LogManagerOptions {
  /** Memory for the newest batches of all logs, whole request frames counted. */
  readonly tailCacheBytes?: number
  /** Memory for reads of files. */
  readonly readBufferBytes?: number
  /** Segments that are kept open although nobody writes to them. */
  readonly maxOpenSegments?: number
  /** Files of last segments that are kept open although nothing was appended for a while. */
  readonly maxGrowingFiles?: number
  /** Above so many un-synced bytes of a log, its writes go to the thread pool. */
  readonly maxUnsyncedBytes?: number
  /** Memory for what a disk that hangs does not take, of all logs; above it appends are refused. */
  readonly maxUnwrittenBytes?: number
  /** `log.retention.check.interval.ms` */
  readonly retentionCheckIntervalMs?: number
  /** `log.flush.offset.checkpoint.interval.ms` */
  readonly checkpointIntervalMs?: number
  /** `producer.id.expiration.check.interval.ms` */
  readonly producerIdExpirationCheckIntervalMs?: number
  /** `log.initial.task.delay.ms`: a start is not the time for other work. */
  readonly initialTaskDelayMs?: number
}

export interface LogManagerPorts {
  readonly fs: FileSystem
  readonly dataDir: string
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly meter: Meter
  readonly options?: LogManagerOptions
  /** Compacts logs; without it none is. */
  readonly cleaning?: LogManagerCleaning
}

export interface LogManagerCleaning {
  readonly cleaner: SegmentCleaner
  readonly config: () => CleanerConfig
}

const DEFAULTS: Required<LogManagerOptions> = {
  tailCacheBytes: 32 * 1024 * 1024,
  readBufferBytes: 32 * 1024 * 1024,
  maxOpenSegments: 256,
  maxGrowingFiles: 2048,
  maxUnsyncedBytes: 64 * 1024 * 1024,
  maxUnwrittenBytes: 256 * 1024 * 1024,
  retentionCheckIntervalMs: 300_000,
  checkpointIntervalMs: 60_000,
  producerIdExpirationCheckIntervalMs: 600_000,
  initialTaskDelayMs: 30_000,
}
/** As Kafka writes and reads it. */
const PARTITION_METADATA = /^version: 0\ntopic_id: [\w-]{22}$/
/** Not a topic of users: it may be there before anything says so. */
const METADATA_DIRECTORY = '__cluster_metadata-0'

/**
 * All logs of a data directory, in the layout of Apache Kafka. Source: LogManager, Kafka 4.4.
 * @throws ConfigError when another process has the directory
 */
export class LogManager implements LogStore {
  readonly #fs: FileSystem
  readonly #scheduler: Scheduler
  readonly #options: Required<LogManagerOptions>
  readonly #context: LogContext
  readonly #directory: DataDirectory
  readonly #lock: FileLock
  readonly #remover: FileRemover
  readonly #cleaner: LogCleaner | null
  readonly #cleanerCheckpoint: CleanerCheckpoint
  /** By directory name. */
  readonly #logs = new Map<string, FilePartitionLog>()
  readonly #timers = new Set<Timer>()
  #logStartSave: Promise<void> | null = null
  #lastRecoveryPoints = ''
  #isClosed = false

  constructor(ports: LogManagerPorts) {
    const { fs, dataDir, clock, scheduler, meter } = ports
    this.#fs = fs
    this.#scheduler = scheduler
    this.#options = { ...DEFAULTS, ...ports.options }
    fs.makeDirectory(dataDir)
    this.#lock = fs.lock(`${dataDir}/${LOCK_FILE}`)
    try {
      this.#directory = new DataDirectory(fs, dataDir, ports.logger)
    } catch (error) {
      this.#lock.release()
      throw error
    }
    const tail = new TailCache(this.#options.tailCacheBytes)
    const readBuffers = new ReadBuffers(this.#options.readBufferBytes)
    this.#context = {
      fs,
      clock,
      scheduler,
      random: ports.random,
      logger: ports.logger,
      metrics: makeStorageMetrics(meter),
      tail,
      readBuffers,
      readLanes: new ReadLanes(),
      segments: new SegmentCache(this.#options.maxOpenSegments, this.#options.maxGrowingFiles),
      pacer: new WritePacer(clock, this.#options.maxUnsyncedBytes, this.#options.maxUnwrittenBytes),
      beforeWrite: () => this.#directory.removeMarker(),
    }
    this.#remover = new FileRemover(fs, scheduler, ports.logger)
    this.#cleanerCheckpoint = new CleanerCheckpoint(fs, dataDir, ports.logger)
    this.#cleaner = this.#makeCleaner(ports)
    meter.gauge('spool_log_tail_bytes', 'Memory held by the newest batches.', () => tail.heldBytes)
    meter.gauge(
      'spool_log_read_buffer_bytes',
      'Memory that reads of files hold.',
      () => readBuffers.usedBytes,
    )
    meter.gauge(
      'spool_log_open_files',
      'Segments whose files are open.',
      () => this.#context.segments.openCount,
    )
    meter.gauge('spool_log_open', 'Logs that are open.', () => this.#logs.size)
  }

  get isAfterCrash(): boolean {
    return this.#directory.isAfterCrash
  }

  async makeLogs(identities: readonly LogIdentity[], config: LogConfig): Promise<void> {
    const directories: NewDirectory[] = []
    const names: string[] = []
    for (const { topic, partition, topicId } of identities) {
      const name = partitionDirectoryName(topic, partition)
      const path = this.#directory.pathOf(name)
      // What is there is looked at when it is opened.
      if (this.#fs.stat(path) !== undefined) continue
      names.push(name)
      directories.push({ path, topicId })
    }
    if (directories.length === 0) return
    this.#context.beforeWrite()
    this.#forgetNamesakes(names)
    // A preallocated segment is made by who opens the log.
    const hasSegment = !config.isPreallocated
    await makeDirectories(this.#fs, this.#directory.path, directories, hasSegment)
  }

  openLog(identity: LogIdentity, config: LogConfig, listener: LogListener): PartitionLog {
    const name = partitionDirectoryName(identity.topic, identity.partition)
    const open = this.#logs.get(name)
    if (open !== undefined) throw new StorageError(`the log ${name} is open already`)
    const path = this.#directory.pathOf(name)
    this.#claimDirectory(name, path, identity.topicId)
    const loaded = loadLog(this.#context, {
      directory: path,
      config,
      isClean: !this.isAfterCrash,
      recoveryPoint: this.#directory.recoveryPoints.get(name) ?? 0,
      logStartOffset: this.#directory.logStartOffsets.get(name) ?? 0,
    })
    const home = {
      saveLogStarts: () => this.#saveLogStarts(),
      removeLater: (paths: readonly string[], delayMs: number) =>
        this.#remover.removeLater(paths, delayMs),
      beforeRoll: (baseOffset: number) => {
        // A clean stop says that the last segment is safe; its indexes are about to be written again.
        if (this.#directory.savedRecoveryPoint(name) > baseOffset) this.#writeCheckpoints()
      },
      deleteExpiredSoon: () => {
        if (!this.#isClosed) this.#attempt(() => this.#deleteExpired())
      },
    }
    const log = new FilePartitionLog(this.#context, home, identity, path, loaded, config, listener)
    this.#logs.set(name, log)
    return log
  }

  deleteLog(log: PartitionLog): void {
    const name = partitionDirectoryName(log.topic, log.partition)
    const open = this.#expectOpen(log)
    this.#logs.delete(name)
    this.#context.beforeWrite()
    open.abandon()
    this.#cleaner?.forget(open)
    const retired = this.#retire(log.topic, log.partition, 'delete')
    this.#remover.removeLater([retired], open.config.fileDeleteDelayMs)
  }

  #expectOpen(log: PartitionLog): FilePartitionLog {
    const name = partitionDirectoryName(log.topic, log.partition)
    const open = this.#logs.get(name)
    if (open === undefined || open !== log) throw new StorageError(`the log ${name} is not open`)
    return open
  }

  setAsideStrays(): readonly string[] {
    const strays: string[] = []
    for (const name of this.#directory.logNames()) {
      const parsed = parsePartitionDirectory(name)
      if (parsed === null || this.#logs.has(name) || name === METADATA_DIRECTORY) continue
      if (this.#fs.stat(this.#directory.pathOf(name))?.isDirectory !== true) continue
      this.#context.beforeWrite()
      const path = this.#retire(parsed.topic, parsed.partition, 'stray')
      this.#context.logger.warn('no topic owns this directory: set it aside', { name, path })
      strays.push(name)
    }
    return strays
  }

  start(): void {
    const { initialTaskDelayMs, retentionCheckIntervalMs, checkpointIntervalMs } = this.#options
    for (const name of this.#fs.list(this.#directory.path)) {
      if (!isDeletedDirectory(name)) continue
      this.#remover.removeLater([this.#directory.pathOf(name)], initialTaskDelayMs)
    }
    this.#repeat(
      Math.min(initialTaskDelayMs, retentionCheckIntervalMs),
      retentionCheckIntervalMs,
      () => this.#deleteExpired(),
    )
    this.#repeat(checkpointIntervalMs, checkpointIntervalMs, () => this.#checkpoint())
    const expirationMs = this.#options.producerIdExpirationCheckIntervalMs
    this.#repeat(expirationMs, expirationMs, () => this.#expireProducers())
    this.#cleaner?.start()
  }

  /**
   * Compacts a log of this store now, dirty or not; but not its last segment.
   * @returns null when there is nothing that may be compacted
   * @throws StorageError when it can't be compacted
   */
  async compact(log: PartitionLog): Promise<CleaningResult | null> {
    if (this.#cleaner === null) throw new StorageError('this store does not compact logs')
    return await this.#cleaner.cleanNow(this.#expectOpen(log))
  }

  /**
   * As `compact`, but also what is in the last segment now: the log goes on in a new one. And in as
   * many rounds as it takes, where the keys do not fit the memory of one.
   * @returns what came of the last round
   */
  async compactAll(log: PartitionLog): Promise<CleaningResult | null> {
    const open = this.#expectOpen(log)
    // Only what is safe on disk is compacted.
    await open.writer.rollAndSync()
    const limit = open.segments.active.baseOffset
    let result = await this.compact(log)
    for (let doneTo = -1; result !== null; ) {
      if (result.endOffset >= limit || result.endOffset <= doneTo) break
      doneTo = result.endOffset
      result = (await this.compact(log)) ?? result
    }
    return result
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#remover.stop()
    await this.#cleaner?.stop()
    try {
      const logs = [...this.#logs.values()]
      await Promise.all(logs.map((log) => log.close()))
      this.#context.beforeWrite()
      this.#writeCheckpoints()
      if (this.#isTrustworthy(logs)) this.#directory.writeMarker()
    } finally {
      this.#logs.clear()
      this.#lock.release()
    }
  }

  #makeCleaner({ cleaning, clock, scheduler, logger, meter }: LogManagerPorts): LogCleaner | null {
    if (cleaning === undefined) return null
    return new LogCleaner({
      clock,
      scheduler,
      meter,
      logger: logger.child('cleaner'),
      checkpoint: this.#cleanerCheckpoint,
      logs: () => this.#logs.values(),
      ...cleaning,
    })
  }

  /** A log that failed, or was not looked at since a crash, must be checked at the next start. */
  #isTrustworthy(logs: readonly FilePartitionLog[]): boolean {
    if (!logs.every(({ writer }) => writer.isClosedCleanly)) return false
    return !this.isAfterCrash || this.#directory.logNames().every((name) => this.#logs.has(name))
  }

  /** The directory is there and belongs to the topic, safely, when this returns. */
  #claimDirectory(name: string, path: string, topicId: string): void {
    const file = `${path}/${PARTITION_METADATA_FILE}`
    const content = partitionMetadataOf(topicId)
    const isThere = this.#fs.stat(path) !== undefined
    const hasRecords = (): boolean =>
      this.#fs
        .list(path)
        .some((file) => file.endsWith(LOG_SUFFIX) && this.#sizeOf(`${path}/${file}`) > 0)
    if (isThere && this.#fs.stat(file) !== undefined) {
      const found = this.#fs.readFile(file).toString('latin1').trimEnd()
      if (found === content) return
      if (!PARTITION_METADATA.test(found))
        this.#context.logger.warn('partition.metadata is damaged: making it again', { file })
      else if (hasRecords())
        throw new StorageError(
          `${path} belongs to another topic (${found.replace('\n', ', ')}), not to ${topicId}: ` +
            'move it away or restore the metadata that goes with it',
        )
    }
    this.#context.beforeWrite()
    if (!isThere || !hasRecords()) this.#forgetNamesakes([name])
    this.#fs.makeDirectory(path)
    const handle = this.#fs.open(file, 'create')
    handle.truncate(0)
    handle.writeNow([Buffer.from(content)], 0)
    handle.dataSyncNow()
    handle.close()
    this.#fs.syncDirectory(path)
    this.#fs.syncDirectory(this.#directory.path)
  }

  /**
   * What the checkpoints say is of logs of those names that were deleted since they were written. It
   * must be gone before there are others: after a crash nobody knows which of them is meant.
   */
  #forgetNamesakes(names: readonly string[]): void {
    for (const name of names) {
      this.#cleanerCheckpoint.forget(name)
      this.#directory.forget(name)
    }
    if (names.some((name) => this.#directory.speaksOf(name))) this.#writeCheckpoints()
  }

  #sizeOf(path: string): number {
    return this.#fs.stat(path)?.sizeBytes ?? 0
  }

  #retire(topic: string, partition: number, kind: 'delete' | 'stray'): string {
    const uniqueHex = Buffer.from(this.#context.random.uuid(), 'base64url').toString('hex')
    const path = this.#directory.pathOf(retiredDirectoryName(topic, partition, uniqueHex, kind))
    this.#fs.rename(this.#directory.pathOf(partitionDirectoryName(topic, partition)), path)
    this.#fs.syncDirectory(this.#directory.path)
    this.#directory.forget(partitionDirectoryName(topic, partition))
    return path
  }

  #repeat(firstMs: number, intervalMs: number, task: () => void): void {
    this.#later(firstMs, () => {
      this.#repeat(intervalMs, intervalMs, task)
      task()
    })
  }

  #later(delayMs: number, task: () => void): void {
    const timer = this.#scheduler.after(delayMs, () => {
      this.#timers.delete(timer)
      this.#attempt(task)
    })
    this.#timers.add(timer)
  }

  #attempt(task: () => void): void {
    try {
      task()
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.#context.logger.error('work on the data directory failed, it is tried again', {
        error: error.message,
      })
    }
  }

  #deleteExpired(): void {
    const starts = new Map<FilePartitionLog, number>()
    for (const log of this.#logs.values()) {
      const offset = startAfterRetention(log)
      if (offset >= 0) starts.set(log, offset)
    }
    if (starts.size === 0) return
    this.#context.beforeWrite()
    this.#writeLogStarts((log) => Math.max(log.logStartToSave, starts.get(log) ?? 0))
    for (const [log, offset] of starts) {
      log.advanceLogStart(offset)
      deleteSegmentsBelowStart(log)
    }
  }

  #expireProducers(): void {
    const nowMs = this.#context.clock.nowMs()
    for (const { producers, config } of this.#logs.values())
      producers.expire(nowMs, config.producerIdExpirationMs)
  }

  #checkpoint(): void {
    this.#saveEpochs([...this.#logs.values()].filter(({ epochs }) => epochs.isDirty))
    const points = JSON.stringify(this.#offsets((log) => log.recoveryPoint))
    if (points === this.#lastRecoveryPoints) return
    this.#lastRecoveryPoints = points
    this.#context.beforeWrite()
    this.#writeCheckpoints()
  }

  /** One file in a turn: after a start, all logs have a new epoch, and each file is two syncs. */
  #saveEpochs(logs: readonly FilePartitionLog[]): void {
    const [log, ...rest] = logs
    if (log === undefined) return
    log.saveEpochs()
    if (rest.length > 0) this.#later(0, () => this.#saveEpochs(rest))
  }

  #writeCheckpoints(): void {
    const directory = this.#directory
    const open = new Set(this.#logs.keys())
    const points = this.#offsets((log) => log.recoveryPoint)
    directory.writeOffsets(RECOVERY_POINT_FILE, points, open, directory.recoveryPoints)
    const highWatermarks = this.#offsets((log) => log.highWatermark)
    directory.writeOffsets(HIGH_WATERMARK_FILE, highWatermarks, open, directory.highWatermarks)
    this.#writeLogStarts()
  }

  /** Also where the first segment says the same: a power failure may bring those before it back. */
  #writeLogStarts(startOf = (log: FilePartitionLog): number => log.logStartToSave): void {
    const needed = this.#offsets(startOf).filter(({ offset }) => offset > 0)
    const open = new Set(this.#logs.keys())
    this.#directory.writeOffsets(LOG_START_FILE, needed, open, this.#directory.logStartOffsets)
  }

  #offsets(offsetOf: (log: FilePartitionLog) => number): PartitionOffset[] {
    return Array.from(this.#logs.values(), (log) => ({
      topic: log.topic,
      partition: log.partition,
      offset: offsetOf(log),
    }))
  }

  /** DeleteRecords of one turn share one write. */
  #saveLogStarts(): Promise<void> {
    this.#logStartSave ??= new Promise((resolve, reject) => {
      this.#scheduler.endOfTurn(() => {
        this.#logStartSave = null
        try {
          this.#context.beforeWrite()
          this.#writeLogStarts()
          resolve()
        } catch (error) {
          reject(error as Error)
        }
      })
    })
    return this.#logStartSave
  }
}
