import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import type { MessageTrace } from './tracing/message-trace.ts'

/** Who has subscriptions, as a publisher sees it. */
export interface Subscriber {
  /** More waits for it than is good: who can send later should. */
  readonly isBehind?: boolean
  /** Whether somebody listens behind it, for those that only pass messages on. */
  hasInterest?(subject: string): boolean
  /**
   * Sends one message, if it may have it.
   * @param publisher whose message it is
   * @returns whether it was sent
   */
  deliver(
    subscription: Subscription,
    message: PublishedMessage,
    publisher: Subscriber,
    shared: SharedTail,
  ): boolean
  /** The same for a message that is traced: says where it went, and sends it only if it is not only traced. */
  deliverTraced?(
    subscription: Subscription,
    message: PublishedMessage,
    publisher: Subscriber,
    shared: SharedTail,
    trace: MessageTrace,
  ): boolean
}

/** One SUB. Its texts have one character for each byte. */
export class Subscription {
  readonly subscriber: Subscriber
  readonly subject: string
  /** Empty for a plain one. */
  readonly queue: string
  readonly sid: string
  /** The sid as it is sent, with the blank behind it. */
  readonly sidBytes: Buffer
  deliveredCount = 0
  /** It ends after so many; 0: never. */
  maxCount = 0
  isEnded = false
  /** It takes in subjects that are denied to its client: each message is looked at. */
  isFiltered = false

  constructor(subscriber: Subscriber, subject: string, queue: string, sid: string) {
    this.subscriber = subscriber
    this.subject = subject
    this.queue = queue
    this.sid = sid
    this.sidBytes = Buffer.from(`${sid} `, 'latin1')
  }
}

/**
 * The part of a message that is the same for all who get it: from the second argument on. Where it is
 * not what the publisher sent, or too large to be copied for each, it is made once.
 */
export class SharedTail {
  #full: Buffer | null = null
  #withoutHeaders: Buffer | null = null

  clear(): void {
    this.#full = null
    this.#withoutHeaders = null
  }

  full(message: PublishedMessage): Buffer {
    this.#full ??= tailOf(message, message.headerByteCount)
    return this.#full
  }

  /** For clients that can't read headers. */
  withoutHeaders(message: PublishedMessage): Buffer {
    this.#withoutHeaders ??= tailOf(message, -1)
    return this.#withoutHeaders
  }
}

/** @param headerByteCount -1: headers are left out */
function tailOf(message: PublishedMessage, headerByteCount: number): Buffer {
  const { bytes, bodyStart, bodyEnd, hasHeaders } = message
  const hasHeadersNow = hasHeaders && headerByteCount >= 0
  const start = hasHeaders && !hasHeadersNow ? bodyStart + message.headerByteCount : bodyStart
  const reply = message.hasReply ? `${message.reply()} ` : ''
  const headers = hasHeadersNow ? `${headerByteCount} ` : ''
  const line = Buffer.from(`${reply}${headers}${bodyEnd - start}\r\n`, 'latin1')
  return Buffer.concat([line, bytes.subarray(start, bodyEnd), CR_LF])
}

const CR_LF = Buffer.from('\r\n', 'latin1')
