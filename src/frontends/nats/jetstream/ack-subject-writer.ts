import type { DeliveryFacts } from '../../../broker/jetstream/consumer/consumer-advisory.ts'
import type { TextBytes } from '../../../wire/nats/published-message.ts'
import { ACK_PREFIX } from './ack-subject.ts'

const DOT = 46
const ZERO = 48
/** Numbers below are written with integers of V8. */
const MILLION = 1_000_000
const MILLION_DIGITS = 6
const NANOSECONDS_A_MS_DIGITS = 6
/** Five numbers of at most 22 digits, and their dots. */
const NUMBERS_BYTES = 128

/**
 * Writes where clients acknowledge messages, once for each delivery:
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>`.
 * The memory is used again for the next one.
 */
export class AckSubjectWriter implements TextBytes {
  bytes = Buffer.alloc(0)
  length = 0
  #stream = ''
  #consumer = ''
  #prefixLength = 0

  /** @param timestampMs when the message was stored; on the wire it has nanoseconds */
  write(
    stream: string,
    consumer: string,
    { deliveries, streamSequence, consumerSequence }: DeliveryFacts,
    timestampMs: number,
    pendingCount: number,
  ): void {
    if (stream !== this.#stream || consumer !== this.#consumer) this.#begin(stream, consumer)
    this.length = this.#prefixLength
    this.#number(deliveries)
    this.#dot()
    this.#number(streamSequence)
    this.#dot()
    this.#number(consumerSequence)
    this.#dot()
    this.#number(timestampMs)
    if (timestampMs !== 0) this.#zeros(NANOSECONDS_A_MS_DIGITS)
    this.#dot()
    this.#number(pendingCount)
  }

  #begin(stream: string, consumer: string): void {
    const prefix = Buffer.from(`${ACK_PREFIX}${stream}.${consumer}.`, 'latin1')
    this.#stream = stream
    this.#consumer = consumer
    this.#prefixLength = prefix.byteLength
    this.bytes = Buffer.concat([prefix, Buffer.alloc(NUMBERS_BYTES)])
  }

  #dot(): void {
    this.bytes[this.length++] = DOT
  }

  #zeros(count: number): void {
    for (let i = 0; i < count; i++) this.bytes[this.length++] = ZERO
  }

  #number(value: number): void {
    if (value < MILLION) {
      this.#digits(value, digitCountOf(value))
      return
    }
    const high = Math.floor(value / MILLION)
    this.#number(high)
    this.#digits(value - high * MILLION, MILLION_DIGITS)
  }

  #digits(value: number, count: number): void {
    const end = this.length + count
    let left = value | 0
    for (let at = end - 1; at >= this.length; at--) {
      const rest = (left / 10) | 0
      this.bytes[at] = ZERO + (left - rest * 10)
      left = rest
    }
    this.length = end
  }
}

/** @param value below a million */
function digitCountOf(value: number): number {
  if (value < 10) return 1
  if (value < 100) return 2
  if (value < 1000) return 3
  if (value < 10_000) return 4
  return value < 100_000 ? 5 : MILLION_DIGITS
}
