import { type ConsumerConfig, toMs } from './consumer-config.ts'
import { durationText } from './duration-text.ts'
import { badRequest, type Status, status } from './status.ts'

/** What a client asks for, as it says it. Durations are in nanoseconds. */
export interface PullOptions {
  readonly batch: number
  readonly expires: number
  readonly maxBytes: number
  readonly noWait: boolean
  readonly idleHeartbeat: number
  readonly group: string
  readonly minPending: number
  readonly minAckPending: number
  readonly id: string
  readonly priority: number
}

export const ONE_MESSAGE: PullOptions = {
  batch: 1,
  expires: 0,
  maxBytes: 0,
  noWait: false,
  idleHeartbeat: 0,
  group: '',
  minPending: 0,
  minAckPending: 0,
  id: '',
  priority: 0,
}

/** Nobody hears a heartbeat more often than this, whatever was asked for. */
const MIN_HEARTBEAT_MS = 10

/** The highest number a client may give; a low one goes first. */
const MAX_PRIORITY = 9

/** A request that waits for messages. */
export class PullRequest {
  readonly reply: string
  readonly options: PullOptions
  /** Messages that may still come. */
  left: number
  deliveredCount = 0
  /** Bytes that may still come; 0: any number. */
  bytesLeft: number
  readonly expiresAtMs: number
  readonly heartbeatMs: number
  nextHeartbeatMs: number
  /** Of the client that all messages go to. */
  pinId: string

  constructor(reply: string, options: PullOptions, nowMs: number) {
    this.reply = reply
    this.options = options
    this.left = Math.max(1, options.batch)
    this.bytesLeft = options.maxBytes
    this.expiresAtMs =
      options.expires > 0 ? nowMs + toMs(options.expires) : Number.POSITIVE_INFINITY
    const { idleHeartbeat } = options
    this.heartbeatMs = idleHeartbeat > 0 ? Math.max(MIN_HEARTBEAT_MS, toMs(idleHeartbeat)) : 0
    this.nextHeartbeatMs = Number.POSITIVE_INFINITY
    this.pinId = options.id
    this.messageSent(nowMs)
  }

  /** The client heard something, so it waits anew for a heartbeat. */
  messageSent(nowMs: number): void {
    if (this.heartbeatMs > 0) this.nextHeartbeatMs = nowMs + this.heartbeatMs
  }

  /** Messages and bytes that were asked for and did not come. */
  get rest(): Record<string, number> {
    return { 'Nats-Pending-Messages': this.left, 'Nats-Pending-Bytes': this.bytesLeft }
  }

  /** When it is to be looked at. */
  get dueMs(): number {
    return Math.min(this.expiresAtMs, this.nextHeartbeatMs)
  }
}

/** @returns why the consumer can't take such a request; null when it can */
export function checkPull(options: PullOptions, config: ConsumerConfig): Status | null {
  const { batch, expires, maxBytes, idleHeartbeat } = options
  if (idleHeartbeat > 0 && idleHeartbeat * 2 > expires) {
    return badRequest('heartbeat value too large')
  }
  const { max_batch = 0, max_expires = 0, max_bytes = 0 } = config
  if (max_batch > 0 && batch > max_batch) {
    return status(409, `Exceeded MaxRequestBatch of ${max_batch}`)
  }
  if (max_expires > 0 && expires > max_expires) {
    return status(409, `Exceeded MaxRequestExpires of ${durationText(max_expires)}`)
  }
  if (max_bytes > 0 && maxBytes > max_bytes) {
    return status(409, `Exceeded MaxRequestMaxBytes of ${max_bytes}`)
  }
  return checkGroup(options, config)
}

function checkGroup(
  { group, minPending, minAckPending, id, priority }: PullOptions,
  { priority_policy: policy = 'none', priority_groups: groups = [] }: ConsumerConfig,
): Status | null {
  if ((minPending !== 0 || minAckPending !== 0) && policy !== 'overflow') {
    return badRequest('Not a Overflow Priority consumer')
  }
  if (id !== '' && policy !== 'pinned_client') {
    return badRequest('Not a Pinned Client Priority consumer')
  }
  if (priority < 0 || priority > MAX_PRIORITY) {
    return badRequest('Priority must be between 0 and 9')
  }
  if (policy === 'none') return null
  if (group === '') return badRequest('Priority Group missing')
  return groups.includes(group) ? null : badRequest('Invalid Priority Group')
}
