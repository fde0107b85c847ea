import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { MetadataLog } from './metadata-log.ts'
import { encodeSnapshot, type SnapshotId, snapshotFileName } from './metadata-snapshot.ts'
import type { MetadataState } from './metadata-state.ts'
import type { SnapshotFiles } from './snapshot-files.ts'
import { snapshotRecords } from './snapshot-records.ts'

/** When snapshots are written and how long old ones stay; Kafka's configs say it. */
export interface SnapshotPolicy {
  /** `metadata.log.max.record.bytes.between.snapshots` */
  readonly maxBytesBetween: number
  /** `metadata.log.max.snapshot.interval.ms`; 0: only the bytes count. */
  readonly maxIntervalMs: number
  /** `metadata.max.retention.bytes`: above it, of log and snapshots, old ones go; -1: no limit. */
  readonly retentionBytes: number
  /** `metadata.max.retention.ms`: older ones go; -1: no limit. */
  readonly retentionMs: number
}

/** A damaged newest snapshot must not cost anything, so there is one to fall back to. */
const MIN_SNAPSHOTS = 2

export interface SnapshotGeneratorOptions {
  readonly log: MetadataLog
  readonly files: SnapshotFiles
  readonly state: MetadataState
  readonly directoryId: string
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly policy: SnapshotPolicy
  /** Where the newest snapshot ends, 0 without one; and the time of the last record (ms). */
  readonly lastEndOffset: number
  readonly lastAppendMs: number
}

/**
 * Writes a snapshot of the metadata now and then, and cuts the log behind it. It never stands in
 * the way of a commit: when a snapshot fails, the log just stays longer.
 * Source: SnapshotGenerator and KafkaRaftLog, Kafka 4.4 (KIP-630, KIP-876).
 */
export class SnapshotGenerator {
  readonly #options: SnapshotGeneratorOptions
  #lastEndOffset: number
  /** End of the last snapshot that was begun: a failed one is tried again as late as the next. */
  #triedEndOffset: number
  #timer: Timer | null = null
  #work: Promise<void> | null = null
  #isClosed = false

  constructor(options: SnapshotGeneratorOptions) {
    this.#options = options
    this.#lastEndOffset = options.lastEndOffset
    this.#triedEndOffset = options.lastEndOffset
    this.#armTimer()
  }

  /** Looks whether enough was appended since the last snapshot. Call it after each commit. */
  recordsAppended(): void {
    const { log, policy } = this.#options
    if (log.bytesFrom(this.#triedEndOffset) >= policy.maxBytesBetween) this.#begin()
  }

  /** Waits for a snapshot that is being written; none begins after this. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#work
  }

  #armTimer(): void {
    const { scheduler, policy } = this.#options
    if (policy.maxIntervalMs === 0 || this.#isClosed) return
    this.#timer?.cancel()
    this.#timer = scheduler.after(policy.maxIntervalMs, () => {
      this.#armTimer()
      if (this.#options.state.image.offset >= this.#lastEndOffset) this.#begin()
    })
  }

  #begin(): void {
    if (this.#isClosed || this.#work !== null) return
    this.#work = this.#generate()
      .catch((error: unknown) => {
        this.#options.logger.error('a snapshot of the metadata failed, it is tried again later', {
          error: error instanceof Error ? error.message : String(error),
        })
      })
      .then(() => {
        this.#work = null
        this.recordsAppended()
      })
  }

  async #generate(): Promise<void> {
    const { log, files, state, directoryId, clock, logger } = this.#options
    const id = { endOffset: state.image.offset + 1, epoch: log.leaderEpoch }
    this.#triedEndOffset = id.endOffset
    // All of it in one turn: it must be the state at one offset.
    const batches = encodeSnapshot(id, state.voters, snapshotRecords(state, directoryId), {
      lastAppendMs: Math.max(log.lastAppendMs, this.#options.lastAppendMs),
      nowMs: clock.nowMs(),
    })
    await files.write(id, batches)
    this.#lastEndOffset = id.endOffset
    this.#armTimer()
    logger.info('wrote a snapshot of the metadata', { name: snapshotFileName(id) })
    await this.#truncate()
  }

  /** The log first: a snapshot is needed as long as the log does not reach back before it. */
  async #truncate(): Promise<void> {
    const { log, files, logger } = this.#options
    const { kept, old } = this.#divide(files.list())
    const [oldest] = kept
    if (old.length === 0 || oldest === undefined) return
    await log.truncateBefore(oldest.endOffset)
    files.remove(old)
    logger.info('cut the metadata log', { logStartOffset: log.startOffset, removed: old.length })
  }

  #divide(snapshots: readonly SnapshotId[]): {
    readonly kept: readonly SnapshotId[]
    readonly old: readonly SnapshotId[]
  } {
    const { log, files, policy, clock } = this.#options
    const facts = snapshots.map((id) => files.factsOf(id))
    let totalBytes = log.sizeBytes
    for (const { sizeBytes } of facts) totalBytes += sizeBytes
    let count = 0
    for (const [index, { sizeBytes, lastAppendMs }] of facts.entries()) {
      if (snapshots.length - index <= MIN_SNAPSHOTS) break
      const isTooMuch = policy.retentionBytes >= 0 && totalBytes > policy.retentionBytes
      const ageMs = lastAppendMs < 0 ? 0 : clock.nowMs() - lastAppendMs
      const isTooOld = policy.retentionMs >= 0 && ageMs > policy.retentionMs
      if (!isTooMuch && !isTooOld) break
      const next = snapshots[index + 1] as SnapshotId
      const from = snapshots[index] as SnapshotId
      totalBytes -= sizeBytes + log.bytesFrom(from.endOffset) - log.bytesFrom(next.endOffset)
      count++
    }
    return { kept: snapshots.slice(count), old: snapshots.slice(0, count) }
  }
}
