/** What the streams of an account may take; -1: any number. Named as clients see it. */
export interface AccountLimits {
  /** Bytes that streams in memory may reserve with `max_bytes`. */
  readonly max_memory: number
  /** The same of streams on disk. */
  readonly max_storage: number
  readonly max_streams: number
  /** Of each stream. */
  readonly max_consumers: number
  /** Of each consumer. */
  readonly max_ack_pending: number
  /** What the `max_bytes` of one stream in memory may be. */
  readonly memory_max_stream_bytes: number
  readonly storage_max_stream_bytes: number
  /** A stream must have `max_bytes`. */
  readonly max_bytes_required: boolean
}

/** What limits by number of replicas are called for the one that there is. */
export const TIER = 'R1'

/** At the place of limits that are given by tier. */
export const IN_TIERS: AccountLimits = {
  max_memory: 0,
  max_storage: 0,
  max_streams: 0,
  max_consumers: 0,
  max_ack_pending: 0,
  memory_max_stream_bytes: 0,
  storage_max_stream_bytes: 0,
  max_bytes_required: false,
}

export const UNLIMITED: AccountLimits = {
  max_memory: -1,
  max_storage: -1,
  max_streams: -1,
  max_consumers: -1,
  max_ack_pending: -1,
  memory_max_stream_bytes: -1,
  storage_max_stream_bytes: -1,
  max_bytes_required: false,
}
