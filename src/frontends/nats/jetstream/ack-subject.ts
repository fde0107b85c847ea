import type { DeliveryFacts } from '../../../broker/jetstream/consumer/consumer-advisory.ts'

/** Whose message is acknowledged, and which delivery of it. */
export interface AckSubject extends DeliveryFacts {
  readonly stream: string
  readonly consumer: string
}

export const ACK_PREFIX = '$JS.ACK.'

/** `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>` */
const V1_TOKENS = 9
/** The same with domain and account behind the prefix, and perhaps something random at the end. */
const V2_MIN_TOKENS = 11
const MAX_DIGITS = 16
const ZERO = 0x30

/**
 * Reads both forms that clients know.
 * @returns null for what is no ack subject
 * Source: ackReplyInfo of nats-server, ADR-15.
 */
export function parseAckSubject(subject: string): AckSubject | null {
  if (!subject.startsWith(ACK_PREFIX)) return null
  const tokens = subject.split('.')
  const at = tokens.length === V1_TOKENS ? 2 : 4
  if (tokens.length !== V1_TOKENS && tokens.length < V2_MIN_TOKENS) return null
  const stream = tokens[at] as string
  const consumer = tokens[at + 1] as string
  const deliveries = numberOf(tokens[at + 2])
  const streamSequence = numberOf(tokens[at + 3])
  const consumerSequence = numberOf(tokens[at + 4])
  const isSound = deliveries > 0 && streamSequence > 0 && consumerSequence > 0
  return isSound ? { stream, consumer, deliveries, streamSequence, consumerSequence } : null
}

/** 0 for what is no sequence. Once for each number of each ack, hence without a pattern. */
function numberOf(token: string | undefined): number {
  const length = token?.length ?? 0
  if (token === undefined || length > MAX_DIGITS) return 0
  let value = 0
  for (let at = 0; at < length; at++) {
    const digit = token.charCodeAt(at) - ZERO
    if (digit < 0 || digit > 9) return 0
    value = value * 10 + digit
  }
  return Number.isSafeInteger(value) ? value : 0
}
