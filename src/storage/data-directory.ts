import { StorageError } from '../base/errors.ts'
import type { FileSystem } from '../ports/file-system.ts'
import type { Logger } from '../ports/logger.ts'
import { readOffsetCheckpoint, writeCheckpoint } from './checkpoints.ts'
import { parsePartitionDirectory, partitionDirectoryName } from './log-files.ts'

export const LOCK_FILE = '.lock'
export const CLEAN_SHUTDOWN_FILE = '.kafka_cleanshutdown'
/** Kafka's form; -1: no broker epoch is known, which Kafka accepts. */
const CLEAN_SHUTDOWN_CONTENT = '{"version":0,"brokerEpoch":-1}'
export const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint'
export const LOG_START_FILE = 'log-start-offset-checkpoint'
export const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint'

/** An offset of one partition, as a line of a checkpoint. */
export interface PartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** The files at the top of a data directory that belong to the storage engine. */
export class DataDirectory {
  readonly path: string
  readonly isAfterCrash: boolean
  /** What the checkpoints said when the directory was opened, by `topic-partition`. */
  readonly recoveryPoints: Map<string, number>
  readonly logStartOffsets: Map<string, number>
  readonly highWatermarks: Map<string, number>
  readonly #fs: FileSystem
  /** By file, the logs that its lines on disk say more of than 0. */
  readonly #named = new Map<string, ReadonlySet<string>>()
  /** What the file says now. */
  #savedRecoveryPoints: ReadonlyMap<string, number>
  #hasMarker: boolean

  /** @throws StorageError when the log starts can't be read */
  constructor(fs: FileSystem, path: string, logger: Logger) {
    this.#fs = fs
    this.path = path
    this.#hasMarker = fs.stat(this.pathOf(CLEAN_SHUTDOWN_FILE)) !== undefined
    const hasLogs = fs.list(path).some((name) => parsePartitionDirectory(name) !== null)
    this.isAfterCrash = hasLogs && !this.#hasMarker
    this.recoveryPoints = this.#readIfWhole(RECOVERY_POINT_FILE, logger)
    this.highWatermarks = this.#readIfWhole(HIGH_WATERMARK_FILE, logger)
    // Without it, records that DeleteRecords took away would come back: that is for people to decide.
    this.logStartOffsets = readOffsetCheckpoint(fs, this.pathOf(LOG_START_FILE))
    this.#savedRecoveryPoints = new Map(this.recoveryPoints)
    this.#named.set(RECOVERY_POINT_FILE, new Set(this.recoveryPoints.keys()))
    this.#named.set(LOG_START_FILE, new Set(this.logStartOffsets.keys()))
  }

  /** The log itself says what is in it, so a damaged file only costs time. */
  #readIfWhole(name: string, logger: Logger): Map<string, number> {
    try {
      return readOffsetCheckpoint(this.#fs, this.pathOf(name))
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      logger.warn('a checkpoint is damaged: going on without it', { error: error.message })
      return new Map()
    }
  }

  pathOf(name: string): string {
    return `${this.path}/${name}`
  }

  /** With the marker Kafka trusts whatever it finds, so it must be gone before the first write. */
  removeMarker(): void {
    if (!this.#hasMarker) return
    this.#fs.remove(this.pathOf(CLEAN_SHUTDOWN_FILE))
    this.#fs.syncDirectory(this.path)
    this.#hasMarker = false
  }

  writeMarker(): void {
    this.#fs.writeFileAtomic(this.pathOf(CLEAN_SHUTDOWN_FILE), CLEAN_SHUTDOWN_CONTENT)
    this.#hasMarker = true
  }

  /** The directory of a log got another name: its lines go. */
  forget(name: string): void {
    this.recoveryPoints.delete(name)
    this.logStartOffsets.delete(name)
    this.highWatermarks.delete(name)
  }

  /** A checkpoint on disk says what must not be believed of a new log by this name. */
  speaksOf(name: string): boolean {
    return [...this.#named.values()].some((names) => names.has(name))
  }

  /** Offset below which the next start, should this run end badly, takes a log for safe; 0: none. */
  savedRecoveryPoint(name: string): number {
    return this.#savedRecoveryPoints.get(name) ?? 0
  }

  /** Names of the directories that hold logs in use. */
  logNames(): string[] {
    return this.#fs.list(this.path).filter((name) => parsePartitionDirectory(name) !== null)
  }

  /**
   * Writes the lines of the open logs, and of those that were not opened (a start that failed half
   * way) the lines that were there.
   * @param openNames the logs that speak for themselves, with or without a line
   */
  writeOffsets(
    file: string,
    offsets: readonly PartitionOffset[],
    openNames: ReadonlySet<string>,
    before: ReadonlyMap<string, number>,
  ): void {
    const all = [...offsets]
    for (const [name, offset] of before) {
      const parsed = parsePartitionDirectory(name)
      if (!openNames.has(name) && parsed !== null) all.push({ ...parsed, offset })
    }
    const lines = all.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`)
    writeCheckpoint(this.#fs, this.pathOf(file), lines)
    if (file === RECOVERY_POINT_FILE)
      this.#savedRecoveryPoints = new Map(
        all.map((one) => [partitionDirectoryName(one.topic, one.partition), one.offset]),
      )
    const names = all
      .filter(({ offset }) => offset > 0)
      .map(({ topic, partition }) => partitionDirectoryName(topic, partition))
    if (this.#named.has(file)) this.#named.set(file, new Set(names))
  }
}
