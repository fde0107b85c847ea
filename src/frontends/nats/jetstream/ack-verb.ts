import type { AckVerb } from '../../../broker/jetstream/consumer/acknowledgement.ts'
import { goDuration } from './go-duration.ts'

const NAK = '-NAK'
const NEXT = '+NXT'
const TERM = '+TERM'
const NANOSECONDS_A_MS = 1_000_000

/**
 * What the payload of an ack says. `next`: an ack, and the rest is a pull request.
 * @returns null for what is no ack: it is ignored
 * Source: processAck and processNak of nats-server.
 */
export function parseAckVerb(payload: string): AckVerb | { kind: 'next'; request: string } | null {
  if (payload === '' || payload === '+ACK' || payload === '+OK') return { kind: 'ack' }
  if (payload === '+WPI') return { kind: 'progress' }
  if (payload.startsWith(NEXT)) return { kind: 'next', request: payload.slice(NEXT.length) }
  if (payload.startsWith(TERM)) return { kind: 'term', reason: payload.slice(TERM.length).trim() }
  if (!payload.startsWith(NAK)) return null
  return { kind: 'nak', delayMs: nakDelayMs(payload.slice(NAK.length).trim()) }
}

/** A delay that can't be read is none: the message is better given again than lost sight of. */
function nakDelayMs(text: string): number {
  if (text === '') return 0
  if (!text.startsWith('{')) return Math.max(0, (goDuration(text) ?? 0) / NANOSECONDS_A_MS)
  try {
    const { delay } = JSON.parse(text) as { delay?: unknown }
    return typeof delay === 'number' ? Math.max(0, delay / NANOSECONDS_A_MS) : 0
  } catch {
    return 0
  }
}
