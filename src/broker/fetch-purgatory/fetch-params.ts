import type { ErrorCode } from '../../base/error-code.ts'
import type { EpochEndOffset, LogSlice } from '../../ports/partition-log.ts'
import type { Partition } from '../topics/partition.ts'

/** What one partition of a fetch asks for. */
export interface FetchPartition {
  /** undefined with an `errorCode`: it is reported and never waited for. */
  readonly partition: Partition | undefined
  readonly errorCode: ErrorCode
  readonly offset: number
  readonly maxBytes: number
  /** -1: not checked (KIP-320). */
  readonly currentLeaderEpoch: number
  /** -1: not checked (KIP-595). */
  readonly lastFetchedEpoch: number
}

export interface FetchParams {
  /** Index = index of the result. */
  readonly partitions: readonly FetchPartition[]
  readonly minBytes: number
  /** Over all partitions; the first one with data gives a batch even if it is larger (KIP-74). */
  readonly maxBytes: number
  readonly maxWaitMs: number
  /** Only what committed transactions and non-transactional producers wrote (KIP-98). */
  readonly isReadCommitted: boolean
}

export interface FetchResult {
  readonly errorCode: ErrorCode
  /** -1 with an error. */
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /** Where the log of the reader stops agreeing with ours; then there is no data. */
  readonly divergingEpoch: EpochEndOffset | null
  /** null: nothing to return. */
  readonly slice: LogSlice | null
}
