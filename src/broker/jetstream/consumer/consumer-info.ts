import type { ConsumerConfig } from './consumer-config.ts'
import type { SequencePair } from './consumer-state.ts'

/** How a consumer stands. Times are in milliseconds since 1970; null: never. */
export interface ConsumerInfo {
  readonly stream: string
  readonly name: string
  readonly createdMs: number
  readonly config: ConsumerConfig
  readonly delivered: SequencePair
  readonly lastDeliveredMs: number | null
  readonly ackFloor: SequencePair
  readonly lastAckMs: number | null
  readonly ackPendingCount: number
  readonly redeliveredCount: number
  readonly waitingCount: number
  readonly pendingCount: number
  readonly isBound: boolean
  /** 0: it is not paused. */
  readonly pauseRemainingMs: number
  readonly pinnedId: string
  readonly pinnedMs: number
}
