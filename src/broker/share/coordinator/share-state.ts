import type { ErrorCode } from '../../../base/error-code.ts'
import type { StateBatch } from '../../delivery/delivery-state.ts'

/** `startOffset` of a share partition that nobody read yet: `share.auto.offset.reset` decides. */
export const NO_START_OFFSET = -1
/** `deliveryCompleteCount` when it is not known. */
export const NO_COMPLETE_COUNT = -1

/** What is kept of a share partition. */
export interface ShareState {
  /** Goes up with every snapshot record. */
  readonly snapshotEpoch: number
  /** Of the group when the state was made or reset: writers with an older one are fenced. */
  readonly stateEpoch: number
  /** Of the partition's leader that read the state last. */
  readonly leaderEpoch: number
  readonly startOffset: number
  /** Finished records from the start on. */
  readonly deliveryCompleteCount: number
  readonly stateBatches: readonly StateBatch[]
  readonly createTimestampMs: number
  readonly writeTimestampMs: number
}

/** What a leader wants kept. */
export interface ShareStateWrite {
  readonly stateEpoch: number
  readonly leaderEpoch: number
  readonly startOffset: number
  readonly deliveryCompleteCount: number
  readonly stateBatches: readonly StateBatch[]
}

export interface ShareOutcome {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

export interface ReadShareStateResult extends ShareOutcome {
  readonly stateEpoch: number
  readonly startOffset: number
  readonly stateBatches: readonly StateBatch[]
}

export interface ShareStateSummary extends ShareOutcome {
  readonly stateEpoch: number
  readonly leaderEpoch: number
  readonly startOffset: number
  readonly deliveryCompleteCount: number
}

export function readError(errorCode: ErrorCode, errorMessage: string | null): ReadShareStateResult {
  return { errorCode, errorMessage, stateEpoch: 0, startOffset: 0, stateBatches: [] }
}

export function summaryError(errorCode: ErrorCode, errorMessage: string | null): ShareStateSummary {
  return {
    errorCode,
    errorMessage,
    stateEpoch: 0,
    leaderEpoch: 0,
    startOffset: 0,
    deliveryCompleteCount: NO_COMPLETE_COUNT,
  }
}
