import type { LogConfig, LogListener, PartitionLog } from './partition-log.ts'

export interface LogIdentity {
  readonly topic: string
  /** 22 characters base64url. */
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
}

/** All logs of this broker: the data directory, or a prefix of an object store. */
export interface LogStore {
  /** The last run of this store did not stop cleanly: what was not synced may be lost. */
  readonly isAfterCrash: boolean
  /**
   * Makes what `openLog` will find of logs that are not there, in less time for many of them, and
   * without blocking. `openLog` does all of it too.
   * @throws StorageError; then nothing is left behind
   */
  makeLogs(identities: readonly LogIdentity[], config: LogConfig): Promise<void>
  /**
   * Opens the log, or makes it when it is not there. What was left by an unclean stop is repaired.
   * The directory and its `partition.metadata` are safe on disk when this returns.
   * @throws StorageError when the directory belongs to another topic id or can't be read
   */
  openLog(identity: LogIdentity, config: LogConfig, listener: LogListener): PartitionLog
  /** Takes the log away; its bytes go after `file.delete.delay.ms`. */
  deleteLog(log: PartitionLog): void
  /** Sets data aside that no topic owns, as `…-stray`. Call it once all logs are open. */
  setAsideStrays(): readonly string[]
  /** Starts retention, checkpoints and the other work that time brings. */
  start(): void
  /** Syncs everything and leaves the marks of a clean stop. */
  close(): Promise<void>
}
