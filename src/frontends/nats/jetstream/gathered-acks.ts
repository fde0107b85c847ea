import { beginsWith } from '../../../base/bytes.ts'
import type { DeliveryFacts } from '../../../broker/jetstream/consumer/consumer-advisory.ts'
import type { PublishedMessage } from '../../../wire/nats/published-message.ts'
import { ACK_PREFIX } from './ack-subject.ts'
import type { Gathering } from './api-router.ts'

const PREFIX = Buffer.from(ACK_PREFIX, 'latin1')
const ACK = Buffer.from('+ACK', 'latin1')
const DOT = 46
const ZERO = 48
const MAX_DIGITS = 15
const NO_BYTES = Buffer.alloc(0)

/**
 * Acks of one consumer, as clients send them for each message: `$JS.ACK.<stream>.<consumer>.` and five
 * numbers, no reply, nothing or `+ACK` as payload. Read from the bytes, as there is one for each message.
 */
export class GatheredAcks implements Gathering {
  readonly #run: (acks: GatheredAcks) => void
  /** The subject up to the numbers. */
  #place: Buffer = NO_BYTES
  stream = ''
  consumer = ''
  readonly deliveries: DeliveryFacts[] = []
  /** Where the next number begins. */
  #at = 0

  constructor(run: (acks: GatheredAcks) => void) {
    this.#run = run
  }

  add(message: PublishedMessage): boolean {
    const { bytes, subjectStart, subjectEnd } = message
    if (message.hasReply || message.hasHeaders || !isPlainAck(message)) return false
    if (this.deliveries.length === 0 && !this.#takePlace(bytes, subjectStart, subjectEnd))
      return false
    const place = this.#place
    if (!beginsWith(bytes, subjectStart, subjectEnd, place)) return false
    this.#at = subjectStart + place.byteLength
    const deliveries = this.#number(bytes, subjectEnd)
    const streamSequence = this.#number(bytes, subjectEnd)
    const consumerSequence = this.#number(bytes, subjectEnd)
    if (deliveries === 0 || streamSequence === 0 || consumerSequence === 0) return false
    if (!isLastButOne(bytes, this.#at, subjectEnd)) return false
    this.deliveries.push({ deliveries, streamSequence, consumerSequence })
    return true
  }

  run(): void {
    this.#run(this)
  }

  #takePlace(bytes: Buffer, start: number, end: number): boolean {
    if (!beginsWith(bytes, start, end, PREFIX)) return false
    const streamStart = start + PREFIX.byteLength
    const streamEnd = bytes.indexOf(DOT, streamStart)
    const consumerEnd = streamEnd < 0 ? -1 : bytes.indexOf(DOT, streamEnd + 1)
    if (consumerEnd < 0 || consumerEnd >= end) return false
    this.stream = bytes.toString('latin1', streamStart, streamEnd)
    this.consumer = bytes.toString('latin1', streamEnd + 1, consumerEnd)
    this.#place = Buffer.from(bytes.subarray(start, consumerEnd + 1))
    return true
  }

  /** The number up to the next dot; 0: there is none, or too large a one. */
  #number(bytes: Buffer, end: number): number {
    let at = this.#at
    let value = 0
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    const isNumber = at < end && bytes[at] === DOT && at - this.#at <= MAX_DIGITS
    this.#at = at + 1
    return isNumber ? value : 0
  }
}

function isPlainAck({ bytes, bodyStart, bodyEnd }: PublishedMessage): boolean {
  const byteCount = bodyEnd - bodyStart
  return (
    byteCount === 0 || (byteCount === ACK.byteLength && beginsWith(bytes, bodyStart, bodyEnd, ACK))
  )
}

/** Time and pending messages, of which nobody makes use. */
function isLastButOne(bytes: Buffer, start: number, end: number): boolean {
  let dots = 0
  for (let at = start; at < end; at++) if (bytes[at] === DOT) dots++
  return dots === 1
}
