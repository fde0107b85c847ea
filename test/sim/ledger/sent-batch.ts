/** What an acknowledged batch survives. */
export const Promised = { NOTHING: 0, KILL: 1, POWER_FAILURE: 2, NEVER: 3 } as const
export type Promised = (typeof Promised)[keyof typeof Promised]

export interface SentRecord {
  readonly key: string | null
  readonly value: Buffer | null
}

/** A batch that a client sent, and what it was told of it. */
export interface SentBatch {
  readonly id: number
  /** As it was sent. */
  readonly bytes: Buffer
  readonly recordCount: number
  readonly records: readonly SentRecord[]
  readonly timestampMs: number
  /** -1: none. */
  readonly producerId: number
  readonly baseSequence: number
  /** Where it is, -1: nowhere that is known. */
  baseOffset: number
  promised: Promised
}

export const lastOffsetOfSent = (batch: SentBatch): number =>
  batch.baseOffset + batch.recordCount - 1
