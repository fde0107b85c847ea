import {
  type DataDirectory,
  HIGH_WATERMARK_FILE,
  LOG_START_FILE,
  type PartitionOffset,
  RECOVERY_POINT_FILE,
} from './data-directory.ts'
import type { LogContext } from './log-context.ts'
import type { FilePartitionLog } from './partition-log.ts'

/** Writes what the files at the top of a data directory say of its open logs. */
export class LogCheckpoints {
  readonly #context: LogContext
  readonly #directory: DataDirectory
  /** Those that are open, by directory name. */
  readonly #logs: ReadonlyMap<string, FilePartitionLog>
  #logStartSave: Promise<void> | null = null
  #lastRecoveryPoints = ''

  constructor(
    context: LogContext,
    directory: DataDirectory,
    logs: ReadonlyMap<string, FilePartitionLog>,
  ) {
    this.#context = context
    this.#directory = directory
    this.#logs = logs
  }

  /** All of them. @throws StorageError */
  write(): void {
    const directory = this.#directory
    const open = new Set(this.#logs.keys())
    const points = this.#offsets((log) => log.recoveryPoint)
    directory.writeOffsets(RECOVERY_POINT_FILE, points, open, directory.recoveryPoints)
    const highWatermarks = this.#offsets((log) => log.highWatermark)
    directory.writeOffsets(HIGH_WATERMARK_FILE, highWatermarks, open, directory.highWatermarks)
    this.writeLogStarts()
  }

  /** The same, if a recovery point moved since this was called last. @throws StorageError */
  writeIfMoved(): void {
    const points = JSON.stringify(this.#offsets((log) => log.recoveryPoint))
    if (points === this.#lastRecoveryPoints) return
    this.#lastRecoveryPoints = points
    this.#context.beforeWrite()
    this.write()
  }

  /**
   * Also where the first segment says the same: a power failure may bring those before it back.
   * @throws StorageError
   */
  writeLogStarts(startOf = (log: FilePartitionLog): number => log.logStartToSave): void {
    const needed = this.#offsets(startOf).filter(({ offset }) => offset > 0)
    const open = new Set(this.#logs.keys())
    this.#directory.writeOffsets(LOG_START_FILE, needed, open, this.#directory.logStartOffsets)
  }

  /** DeleteRecords of one turn share one write. Rejects with a StorageError. */
  saveLogStarts(): Promise<void> {
    this.#logStartSave ??= new Promise((resolve, reject) => {
      this.#context.scheduler.endOfTurn(() => {
        this.#logStartSave = null
        try {
          this.#context.beforeWrite()
          this.writeLogStarts()
          resolve()
        } catch (error) {
          reject(error as Error)
        }
      })
    })
    return this.#logStartSave
  }

  #offsets(offsetOf: (log: FilePartitionLog) => number): PartitionOffset[] {
    return Array.from(this.#logs.values(), (log) => ({
      topic: log.topic,
      partition: log.partition,
      offset: offsetOf(log),
    }))
  }
}
