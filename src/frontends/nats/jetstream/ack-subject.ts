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
const NANOSECONDS_A_MS = '000000'

/** Where a client acknowledges a message. @param timestampMs when it was stored */
export function ackSubject(
  stream: string,
  consumer: string,
  { deliveries, streamSequence, consumerSequence }: DeliveryFacts,
  timestampMs: number,
  pendingCount: number,
): string {
  const time = timestampMs === 0 ? '0' : `${timestampMs}${NANOSECONDS_A_MS}`
  const numbers = `${deliveries}.${streamSequence}.${consumerSequence}.${time}.${pendingCount}`
  return `${ACK_PREFIX}${stream}.${consumer}.${numbers}`
}

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
  const [stream, consumer, deliveries, streamSequence, consumerSequence] = tokens.slice(at)
  if (stream === undefined || consumer === undefined) return null
  const facts = {
    deliveries: numberOf(deliveries),
    streamSequence: numberOf(streamSequence),
    consumerSequence: numberOf(consumerSequence),
  }
  const isSound = Object.values(facts).every((value) => value > 0)
  return isSound ? { stream, consumer, ...facts } : null
}

/** 0 for what is no sequence. */
function numberOf(token: string | undefined): number {
  const value = token !== undefined && /^\d{1,16}$/.test(token) ? Number(token) : 0
  return Number.isSafeInteger(value) ? value : 0
}
