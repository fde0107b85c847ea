import type { ErrorCode } from '../base/error-code.ts'
import type { Lease } from '../base/lease.ts'

/** Told when an append is as safe as its caller asked for, or failed. */
export interface AppendWaiter {
  /** @param slot the number the caller gave with the append */
  appendDone(slot: number, errorCode: ErrorCode): void
  /** Nobody waits any more: the log may forget the waiter without telling it. */
  readonly isGone?: boolean
}

/** How safe an append must be before its waiter is told: acks of Produce. */
export type AppendSafety = 'none' | 'written' | 'durable'

export interface AppendRequest {
  /**
   * One valid batch v2 (`records/batch-validation`) that the log may patch in place: base offset and
   * partition leader epoch are outside the CRC.
   */
  readonly batch: Buffer
  /** Keeps the bytes of `batch` alive; the log retains it and releases it when it has no more use. */
  readonly lease: Lease
  /** What the caller wants to be told; `none`: never. */
  readonly safety: AppendSafety
  readonly waiter: AppendWaiter
  readonly slot: number
  /** Broker time put into a LogAppendTime batch, or -1. A duplicate answers the original's. */
  readonly logAppendTimeMs: number
  /** A coordinator wrote it for a producer: the epoch must fit, sequences mean nothing. */
  readonly isFromCoordinator?: boolean
}

/** What an append knows at once: offsets are given, nothing is safe yet. Reused: read it at once. */
export interface AppendResult {
  errorCode: ErrorCode
  errorMessage: string | null
  /** Offset of the first record, or of the original batch for a duplicate; -1 on an error. */
  baseOffset: number
  lastOffset: number
  logAppendTimeMs: number
  /** An idempotent producer sent it before: nothing is appended, the waiter is told all the same. */
  isDuplicate: boolean
}

/** Consecutive bytes of the log: whole batches, as stored. */
export interface LogSlice {
  readonly pieces: readonly Buffer[]
  readonly byteLength: number
  /** Aborted transactions that overlap the slice; null unless read_committed was asked. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  /** Must be called exactly once, when the bytes are no longer needed. */
  release(): void
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface ReadRequest {
  /** Where to begin: the batch that holds this offset comes first, whole. */
  readonly offset: number
  /** Batches at or above this offset are not returned: the HW, the LSO or the log end. */
  readonly endOffset: number
  /** The slice ends before the batch that would pass it, see `atLeastOne`. */
  readonly maxBytes: number
  /** Return the first batch even if it is larger than `maxBytes` (KIP-74). */
  readonly atLeastOne: boolean
  readonly includeAborted: boolean
}

export interface TimestampOffset {
  readonly timestampMs: number
  readonly offset: number
  readonly leaderEpoch: number
}

export interface EpochEndOffset {
  readonly leaderEpoch: number
  readonly endOffset: number
}

/** State of a producer in a partition. */
export interface ActiveProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestampMs: number
  readonly coordinatorEpoch: number
  /** -1: none open. */
  readonly currentTransactionFirstOffset: number
}

/** What the broker wants to know of a log, told in the turn in which it happened. */
export interface LogListener {
  /** The high watermark or the last stable offset moved up, or the log start did. */
  logAdvanced(log: PartitionLog): void
  /** Storage failed: the log takes no more appends and its waiters were told. */
  logFailed(log: PartitionLog, error: Error): void
}

/** Settings of one log; bytes and milliseconds, -1 for no limit. Source: Kafka's topic configs. */
export interface LogConfig {
  /** `segment.bytes` */
  readonly segmentBytes: number
  /** `segment.ms` */
  readonly segmentMs: number
  /** `segment.jitter.ms` */
  readonly segmentJitterMs: number
  /** `segment.index.bytes` */
  readonly segmentIndexBytes: number
  /** `index.interval.bytes` */
  readonly indexIntervalBytes: number
  /** `retention.ms` */
  readonly retentionMs: number
  /** `retention.bytes` */
  readonly retentionBytes: number
  /** `cleanup.policy` holds `delete` */
  readonly isDeleted: boolean
  /** `cleanup.policy` holds `compact` */
  readonly isCompacted: boolean
  /** `min.compaction.lag.ms`: records younger than this are not compacted. */
  readonly minCompactionLagMs: number
  /** `max.compaction.lag.ms`: a log with older records that wait is compacted, however clean. */
  readonly maxCompactionLagMs: number
  /** `min.cleanable.dirty.ratio`: compacted from this share of bytes not compacted yet; 0 to 1. */
  readonly minCleanableDirtyRatio: number
  /** `delete.retention.ms`: how long tombstones and transaction markers stay after compaction. */
  readonly deleteRetentionMs: number
  /** `file.delete.delay.ms` */
  readonly fileDeleteDelayMs: number
  /** `preallocate`: new segments get their room on disk at once. */
  readonly isPreallocated: boolean
  /** `spool.durability`: `fsync` answers after fdatasync, `os` after the page cache has it. */
  readonly durability: 'fsync' | 'os'
  /** `flush.messages`: with `os`, fdatasync at least every so many records. */
  readonly flushMessages: number
  /** `flush.ms`: with `os`, fdatasync at least so often. */
  readonly flushMs: number
  /** `producer.id.expiration.ms` */
  readonly producerIdExpirationMs: number
}

/**
 * The log of one partition, behind which a local directory or an object store can stand. It gives
 * offsets, knows idempotent producers, and says how far its content is safe. Calls of one log are
 * made from one event loop. Offsets are inclusive at the start and exclusive at the end.
 */
export interface PartitionLog {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  /** First offset that can be read. */
  readonly logStartOffset: number
  /** The next offset to be given. */
  readonly logEndOffset: number
  /** Offsets below it are as safe as `durability` promises; consumers see no more than this. */
  readonly highWatermark: number
  /** First offset of the oldest open transaction, at most the high watermark. */
  readonly lastStableOffset: number
  readonly leaderEpoch: number
  /** Bytes on disk, all segments. */
  readonly sizeBytes: number
  /**
   * Bytes that came below the high watermark since the log was opened; it never shrinks. The
   * difference of two looks tells a waiting fetch how much it could read more.
   */
  readonly visibleBytes: number
  readonly isFailed: boolean
  /**
   * The disk takes no writes, and what waits for it fills the memory for that: clients should not
   * append more. The broker's own few appends may.
   */
  readonly isOverloaded?: boolean

  /**
   * Appends one batch. Errors: OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH,
   * DUPLICATE_SEQUENCE_NUMBER, KAFKA_STORAGE_ERROR. On an error the waiter is not told.
   */
  append(request: AppendRequest): AppendResult
  /**
   * Whole batches from an offset on, `logStartOffset <= offset < endOffset`. Returned at once when
   * they are in memory, else null, and `done` is called later with the slice or the error.
   */
  read(
    request: ReadRequest,
    done: (error: Error | null, slice: LogSlice | null) => void,
  ): LogSlice | null
  /**
   * About how many bytes lie between an offset and the high watermark: exact within an interval of
   * the offset index, and known without reading.
   */
  bytesFrom(offset: number): number
  /**
   * First record with a timestamp at or after the given one, below `endOffset`; null: none.
   * @throws StorageError when the log can't be read
   */
  offsetForTimestamp(timestampMs: number, endOffset: number): Promise<TimestampOffset | null>
  /**
   * The record with the largest timestamp below `endOffset`, the first of equal ones.
   * @throws StorageError when the log can't be read
   */
  maxTimestamp(endOffset: number): Promise<TimestampOffset | null>
  /** Epoch and end offset of the largest known epoch at or below the asked one (KIP-101). */
  endOffsetForEpoch(leaderEpoch: number): EpochEndOffset | null
  /** Epoch of a given offset, -1 if unknown. */
  epochForOffset(offset: number): number
  /** Starts a new leader epoch with the next append. */
  setLeaderEpoch(leaderEpoch: number): void
  /** DeleteRecords: moves the log start up; resolves when that survives a crash. */
  deleteRecordsBefore(offset: number): Promise<void>
  configure(config: LogConfig): void
  activeProducers(): readonly ActiveProducer[]
  /** undefined: it never wrote here, or was forgotten. */
  activeProducer(producerId: number): ActiveProducer | undefined
}
