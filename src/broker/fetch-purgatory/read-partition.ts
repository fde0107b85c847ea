import { ErrorCode } from '../../base/error-code.ts'
import type { EpochEndOffset, LogSlice, PartitionLog } from '../../ports/partition-log.ts'
import type { FetchPartition, FetchResult } from './fetch-params.ts'

export interface ReadLimit {
  readonly maxBytes: number
  readonly atLeastOne: boolean
  readonly isReadCommitted: boolean
}

/**
 * Reads one partition of a fetch. Returned at once if the bytes are in memory or there are none;
 * else null, and `done` gets it later.
 */
export function readPartition(
  fetch: FetchPartition,
  limit: ReadLimit,
  done: (result: FetchResult) => void,
): FetchResult | null {
  const { partition, offset } = fetch
  if (partition === undefined) return failure(fetch.errorCode)
  const refusal = refusalOf(fetch)
  if (refusal !== ErrorCode.NONE) return failure(refusal)
  const { log } = partition
  if (offset > log.logEndOffset || offset < log.logStartOffset) {
    return failure(ErrorCode.OFFSET_OUT_OF_RANGE)
  }
  const diverging = divergingEpoch(log, fetch)
  if (diverging === 'unknown') return failure(ErrorCode.OFFSET_OUT_OF_RANGE)
  if (diverging !== null) return success(log, null, diverging)
  const endOffset = limit.isReadCommitted ? log.lastStableOffset : log.highWatermark
  const maxBytes = Math.min(limit.maxBytes, fetch.maxBytes)
  if (offset >= endOffset || (maxBytes <= 0 && !limit.atLeastOne)) return success(log, null, null)
  const request = {
    offset,
    endOffset,
    maxBytes,
    atLeastOne: limit.atLeastOne,
    includeAborted: limit.isReadCommitted,
  }
  const slice = log.read(request, (error, later) => done(afterRead(log, error, later)))
  return slice === null ? null : success(log, slice, null)
}

function afterRead(log: PartitionLog, error: Error | null, slice: LogSlice | null): FetchResult {
  return error === null ? success(log, slice, null) : failure(ErrorCode.KAFKA_STORAGE_ERROR)
}

function refusalOf({ partition, currentLeaderEpoch }: FetchPartition): ErrorCode {
  if (partition === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const { availability } = partition
  if (availability !== ErrorCode.NONE) return availability
  return leaderEpochError(currentLeaderEpoch, partition.log.leaderEpoch)
}

/** KIP-320: what a client knows of the leader must be what the leader is. -1: not checked. */
export function leaderEpochError(clientEpoch: number, leaderEpoch: number): ErrorCode {
  if (clientEpoch < 0 || clientEpoch === leaderEpoch) return ErrorCode.NONE
  return clientEpoch < leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH
}

/**
 * Whether the log of a reader is a prefix of ours, judged by the epoch of its last record.
 * @returns null: it is. `unknown`: we never had such an epoch.
 */
export function divergingEpoch(
  log: PartitionLog,
  { lastFetchedEpoch, offset }: FetchPartition,
): EpochEndOffset | 'unknown' | null {
  if (lastFetchedEpoch < 0) return null
  const end = log.endOffsetForEpoch(lastFetchedEpoch)
  if (end === null) return 'unknown'
  return end.leaderEpoch < lastFetchedEpoch || end.endOffset < offset ? end : null
}

function success(
  log: PartitionLog,
  slice: LogSlice | null,
  divergingEpoch: EpochEndOffset | null,
): FetchResult {
  return {
    errorCode: ErrorCode.NONE,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    divergingEpoch,
    slice,
  }
}

function failure(errorCode: ErrorCode): FetchResult {
  return {
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: null,
    slice: null,
  }
}
