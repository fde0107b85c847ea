import { firstMillisecondFrom } from '../../../broker/jetstream/rfc3339.ts'
import { isObject } from './stream-config-json.ts'

/** Which messages of a stream a client wants. Source: JSApiMsgGetRequest of nats-server. */
export interface MessageRequest {
  /** 0: not given. */
  readonly sequence: number
  readonly lastBySubject: string
  readonly nextBySubject: string
  /** 0: one message, without an end. */
  readonly batch: number
  readonly maxBytes: number
  readonly startMs: number | null
  readonly lastOf: readonly string[]
  readonly upToSequence: number
  readonly upToMs: number | null
  readonly hasNoHeaders: boolean
}

/** @returns null when a field is not of its type */
export function parseMessageRequest(body: unknown): MessageRequest | null {
  if (!isObject(body)) return null
  const {
    seq = 0,
    last_by_subj: lastBySubject = '',
    next_by_subj: nextBySubject = '',
    batch = 0,
    max_bytes: maxBytes = 0,
    start_time: startTime = null,
    multi_last: lastOf = [],
    up_to_seq: upToSequence = 0,
    up_to_time: upToTime = null,
    no_hdr: hasNoHeaders = false,
  } = body
  if (!isCount(seq) || !isCount(batch) || !isCount(maxBytes) || !isCount(upToSequence)) return null
  if (typeof lastBySubject !== 'string' || typeof nextBySubject !== 'string') return null
  if (!isTexts(lastOf) || typeof hasNoHeaders !== 'boolean') return null
  const startMs = timeOf(startTime)
  const upToMs = timeOf(upToTime)
  if (startMs === undefined || upToMs === undefined) return null
  return {
    ...{ sequence: seq, lastBySubject, nextBySubject, batch, maxBytes, startMs, lastOf },
    ...{ upToSequence, upToMs, hasNoHeaders },
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

/** undefined: not a time */
function timeOf(value: unknown): number | null | undefined {
  if (value === null) return null
  if (typeof value !== 'string') return undefined
  return firstMillisecondFrom(value) ?? undefined
}
