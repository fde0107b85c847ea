import { ErrorCode, errorName } from '../../base/error-code.ts'
import { StorageError } from '../../base/errors.ts'
import { UNPOOLED } from '../../base/lease.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LogStore } from '../../ports/log-store.ts'
import type {
  AppendWaiter,
  LogConfig,
  LogListener,
  LogSlice,
  PartitionLog,
} from '../../ports/partition-log.ts'
import { buildBatch, type NewRecord } from '../../records/batch-builder.ts'
import { areBatchesIntact } from '../../records/records-iterator.ts'
import type { MetadataSource } from './metadata-loader.ts'

export const METADATA_TOPIC = '__cluster_metadata'
/** The fixed id that Kafka gives the metadata topic. */
const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

const READ_BYTES = 1024 * 1024
/** A disk or its cable flips a bit now and then. */
const MAX_READS = 3
const DAY_MS = 86_400_000

/** What the operator decides about the metadata log. */
export interface MetadataLogOptions {
  readonly durability: LogConfig['durability']
  /** `metadata.log.segment.bytes` */
  readonly segmentBytes: number
  /** `metadata.log.segment.ms` */
  readonly segmentMs: number
}

/** Never deleted, never compacted: the log is the state. */
function configOf({ durability, segmentBytes, segmentMs }: MetadataLogOptions): LogConfig {
  return {
    segmentBytes,
    segmentMs,
    segmentJitterMs: 0,
    segmentIndexBytes: 10 * 1024 * 1024,
    indexIntervalBytes: 4096,
    retentionMs: -1,
    retentionBytes: -1,
    isDeleted: false,
    isCompacted: false,
    minCompactionLagMs: 0,
    maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
    minCleanableDirtyRatio: 0.5,
    deleteRetentionMs: DAY_MS,
    isPreallocated: false,
    fileDeleteDelayMs: 60_000,
    durability,
    flushMessages: Number.MAX_SAFE_INTEGER,
    flushMs: Number.MAX_SAFE_INTEGER,
    producerIdExpirationMs: DAY_MS,
  }
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** The partition log of the metadata, with promises: metadata is no hot path. */
export class MetadataLog implements MetadataSource, LogListener, AppendWaiter {
  readonly #log: PartitionLog
  readonly #clock: Clock
  readonly #waiting = new Map<number, Waiting>()
  #nextSlot = 0
  #lastAppendMs = -1

  constructor(logStore: LogStore, clock: Clock, options: MetadataLogOptions) {
    const identity = {
      topic: METADATA_TOPIC,
      topicId: METADATA_TOPIC_ID,
      partition: 0,
      leaderEpoch: 0,
    }
    this.#clock = clock
    this.#log = logStore.openLog(identity, configOf(options), this)
  }

  get startOffset(): number {
    return this.#log.logStartOffset
  }

  get endOffset(): number {
    return this.#log.logEndOffset
  }

  get leaderEpoch(): number {
    return this.#log.leaderEpoch
  }

  /** When this run last appended (ms); -1: never. */
  get lastAppendMs(): number {
    return this.#lastAppendMs
  }

  /** Bytes of all its segments. */
  get sizeBytes(): number {
    return this.#log.sizeBytes
  }

  /** About how many bytes there are from an offset on. */
  bytesFrom(offset: number): number {
    return this.#log.bytesFrom(Math.max(offset, this.startOffset))
  }

  /** Gives up what is before an offset; resolves when that survives a crash. */
  truncateBefore(offset: number): Promise<void> {
    return this.#log.deleteRecordsBefore(offset)
  }

  setLeaderEpoch(leaderEpoch: number): void {
    this.#log.setLeaderEpoch(leaderEpoch)
  }

  async readFrom(offset: number, visit: (batches: Buffer) => number): Promise<void> {
    let next = offset
    let readCount = 0
    while (next < this.#log.logEndOffset) {
      const slice = await this.#read(next)
      try {
        const { pieces } = slice
        const batches = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
        if (!areBatchesIntact(batches)) {
          if (++readCount < MAX_READS) continue
          throw new StorageError(
            `the metadata log is damaged behind offset ${next}: restore its files from a backup`,
          )
        }
        readCount = 0
        const after = visit(batches)
        if (after <= next) throw new StorageError(`the metadata log can't be read at ${next}`)
        next = after
      } finally {
        slice.release()
      }
    }
  }

  /**
   * Appends records as one batch.
   * @returns offset of the last record, once the batch is safe
   * @throws StorageError when the log failed
   */
  async append(
    records: readonly Omit<NewRecord, 'timestamp'>[],
    isControl = false,
  ): Promise<number> {
    const timestamp = this.#clock.nowMs()
    const batch = buildBatch(
      records.map((record) => ({ ...record, timestamp })),
      { isControl },
    )
    const slot = this.#nextSlot++
    const safe = new Promise<void>((resolve, reject) =>
      this.#waiting.set(slot, { resolve, reject }),
    )
    const result = this.#log.append({
      batch,
      lease: UNPOOLED,
      safety: 'durable',
      waiter: this,
      slot,
      logAppendTimeMs: -1,
    })
    const { errorCode, lastOffset } = result
    if (errorCode !== ErrorCode.NONE) {
      this.#waiting.delete(slot)
      throw failure(errorCode)
    }
    await safe
    this.#lastAppendMs = timestamp
    return lastOffset
  }

  appendDone(slot: number, errorCode: ErrorCode): void {
    const waiting = this.#waiting.get(slot)
    if (waiting === undefined) return
    this.#waiting.delete(slot)
    if (errorCode === ErrorCode.NONE) waiting.resolve()
    else waiting.reject(failure(errorCode))
  }

  logAdvanced(): void {
    // The only reader is the replay at the start.
  }

  logFailed(): void {
    // Waiters are told by appendDone, later appends by their result.
  }

  #read(offset: number): Promise<LogSlice> {
    return new Promise((resolve, reject) => {
      const request = {
        offset,
        endOffset: this.#log.logEndOffset,
        maxBytes: READ_BYTES,
        atLeastOne: true,
        includeAborted: false,
      }
      const slice = this.#log.read(request, (error, later) => {
        if (later !== null) resolve(later)
        else reject(error ?? new StorageError(`the metadata log can't be read at ${offset}`))
      })
      if (slice !== null) resolve(slice)
    })
  }
}

function failure(code: ErrorCode): StorageError {
  return new StorageError(`the metadata log does not take records: ${errorName(code)}`)
}
