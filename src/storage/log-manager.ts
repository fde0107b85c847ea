import { StorageError } from '../base/errors.ts'
import type { FileLock, FileSystem } from '../ports/file-system.ts'
import type { LogIdentity, LogStore } from '../ports/log-store.ts'
import type { LogConfig, LogListener, PartitionLog } from '../ports/partition-log.ts'
import { BackgroundTasks } from './background-tasks.ts'
import { CleanerCheckpoint } from './cleaner/cleaner-checkpoint.ts'
import { LogCleaner } from './cleaner/log-cleaner.ts'
import type { CleaningResult } from './cleaner/log-cleaning.ts'
import { DataDirectory, LOCK_FILE } from './data-directory.ts'
import { LogCheckpoints } from './log-checkpoints.ts'
import type { LogContext } from './log-context.ts'
import { isDeletedDirectory, parsePartitionDirectory, partitionDirectoryName } from './log-files.ts'
import {
  LOG_MANAGER_DEFAULTS,
  type LogManagerOptions,
  type LogManagerPorts,
} from './log-manager-options.ts'
import { PartitionDirectories } from './partition-directories.ts'
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

/** Not a topic of users: it may be there before anything says so. */
const METADATA_DIRECTORY = '__cluster_metadata-0'

/**
 * All logs of a data directory, in the layout of Apache Kafka. Source: LogManager, Kafka 4.4.
 * @throws ConfigError when another process has the directory
 */
export class LogManager implements LogStore {
  readonly #fs: FileSystem
  readonly #options: Required<LogManagerOptions>
  readonly #context: LogContext
  readonly #directory: DataDirectory
  readonly #lock: FileLock
  readonly #remover: FileRemover
  readonly #cleaner: LogCleaner | null
  readonly #checkpoints: LogCheckpoints
  readonly #partitions: PartitionDirectories
  readonly #tasks: BackgroundTasks
  /** By directory name. */
  readonly #logs = new Map<string, FilePartitionLog>()
  #isClosed = false

  constructor(ports: LogManagerPorts) {
    const { fs, dataDir, clock, scheduler, meter } = ports
    this.#fs = fs
    this.#options = { ...LOG_MANAGER_DEFAULTS, ...ports.options }
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
    this.#tasks = new BackgroundTasks(scheduler, ports.logger)
    this.#checkpoints = new LogCheckpoints(this.#context, this.#directory, this.#logs)
    const cleanerCheckpoint = new CleanerCheckpoint(fs, dataDir, ports.logger)
    this.#partitions = new PartitionDirectories(
      this.#context,
      this.#directory,
      this.#checkpoints,
      cleanerCheckpoint,
    )
    this.#cleaner = this.#makeCleaner(ports, cleanerCheckpoint)
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

  makeLogs(identities: readonly LogIdentity[], config: LogConfig): Promise<void> {
    return this.#partitions.make(identities, config)
  }

  openLog(identity: LogIdentity, config: LogConfig, listener: LogListener): PartitionLog {
    const name = partitionDirectoryName(identity.topic, identity.partition)
    const open = this.#logs.get(name)
    if (open !== undefined) throw new StorageError(`the log ${name} is open already`)
    const path = this.#directory.pathOf(name)
    this.#partitions.claim(name, identity.topicId)
    const loaded = loadLog(this.#context, {
      directory: path,
      config,
      isClean: !this.isAfterCrash,
      recoveryPoint: this.#directory.recoveryPoints.get(name) ?? 0,
      logStartOffset: this.#directory.logStartOffsets.get(name) ?? 0,
    })
    const home = {
      saveLogStarts: () => this.#checkpoints.saveLogStarts(),
      removeLater: (paths: readonly string[], delayMs: number) =>
        this.#remover.removeLater(paths, delayMs),
      beforeRoll: (baseOffset: number) => {
        // A clean stop says that the last segment is safe; its indexes are about to be written again.
        if (this.#directory.savedRecoveryPoint(name) > baseOffset) this.#checkpoints.write()
      },
      deleteExpiredSoon: () => this.#tasks.attempt(() => this.#deleteExpired()),
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
    const retired = this.#partitions.retire(log.topic, log.partition, 'delete')
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
      const path = this.#partitions.retire(parsed.topic, parsed.partition, 'stray')
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
    this.#tasks.repeat(
      Math.min(initialTaskDelayMs, retentionCheckIntervalMs),
      retentionCheckIntervalMs,
      () => this.#deleteExpired(),
    )
    this.#tasks.repeat(checkpointIntervalMs, checkpointIntervalMs, () => this.#checkpoint())
    const expirationMs = this.#options.producerIdExpirationCheckIntervalMs
    this.#tasks.repeat(expirationMs, expirationMs, () => this.#expireProducers())
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
    this.#tasks.stop()
    this.#remover.stop()
    await this.#cleaner?.stop()
    try {
      const logs = [...this.#logs.values()]
      await Promise.all(logs.map((log) => log.close()))
      this.#context.beforeWrite()
      this.#checkpoints.write()
      if (this.#isTrustworthy(logs)) this.#directory.writeMarker()
    } finally {
      this.#logs.clear()
      this.#lock.release()
    }
  }

  #makeCleaner(
    { cleaning, clock, scheduler, logger, meter }: LogManagerPorts,
    checkpoint: CleanerCheckpoint,
  ): LogCleaner | null {
    if (cleaning === undefined) return null
    return new LogCleaner({
      clock,
      scheduler,
      meter,
      logger: logger.child('cleaner'),
      checkpoint,
      logs: () => this.#logs.values(),
      ...cleaning,
    })
  }

  /** A log that failed, or was not looked at since a crash, must be checked at the next start. */
  #isTrustworthy(logs: readonly FilePartitionLog[]): boolean {
    if (!logs.every(({ writer }) => writer.isClosedCleanly)) return false
    return !this.isAfterCrash || this.#directory.logNames().every((name) => this.#logs.has(name))
  }

  #deleteExpired(): void {
    const starts = new Map<FilePartitionLog, number>()
    for (const log of this.#logs.values()) {
      const offset = startAfterRetention(log)
      if (offset >= 0) starts.set(log, offset)
    }
    if (starts.size === 0) return
    this.#context.beforeWrite()
    this.#checkpoints.writeLogStarts((log) => Math.max(log.logStartToSave, starts.get(log) ?? 0))
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
    this.#checkpoints.writeIfMoved()
  }

  /** One file in a turn: after a start, all logs have a new epoch, and each file is two syncs. */
  #saveEpochs(logs: readonly FilePartitionLog[]): void {
    const [log, ...rest] = logs
    if (log === undefined) return
    log.saveEpochs()
    if (rest.length > 0) this.#tasks.later(0, () => this.#saveEpochs(rest))
  }
}
