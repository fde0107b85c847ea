/** What holds for JetStream of all accounts of a server. Source: JetStreamConfig and JSLimitOpts of nats-server. */
export interface JetStreamSettings {
  /** Clients may ask as `$JS.<domain>.API.…` too; empty: there is none. */
  readonly domain: string
  /** Bytes that streams in memory may take, and that clients are shown; -1: as they like. */
  readonly maxMemory: number
  /** The same of streams on disk. */
  readonly maxStorage: number
  /** Of a consumer; 0: any number, as for those below. */
  readonly maxAckPending: number
  /** Messages that one pull may ask for. */
  readonly maxRequestBatch: number
  /** Nanoseconds. */
  readonly maxDuplicateWindow: number
}

export const DEFAULT_JETSTREAM: JetStreamSettings = {
  domain: '',
  maxMemory: -1,
  maxStorage: -1,
  maxAckPending: 0,
  maxRequestBatch: 0,
  maxDuplicateWindow: 0,
}
