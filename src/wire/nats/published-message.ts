import { fnv1a } from '../../base/fnv1a.ts'

/** Empty until the first message. */
const NO_BYTES = Buffer.alloc(0)

/** A text, one byte for each character, in memory that may be longer. */
export interface TextBytes {
  readonly bytes: Buffer
  readonly length: number
}

/**
 * One PUB or HPUB, as positions in the bytes it came in. A parser has one and fills it again for each
 * message, so that a message which is only passed on costs no object.
 */
export class PublishedMessage {
  bytes: Buffer = NO_BYTES
  subjectStart = 0
  subjectEnd = 0
  /** Nobody can listen to the subject. */
  hasEmptyToken = false
  /** The subject is that of the message before. */
  isSameSubject = false
  /** Equal to `replyEnd` when there is none. */
  replyStart = 0
  replyEnd = 0
  /** It came by HPUB, though its headers may be empty. */
  hasHeaders = false
  headerByteCount = 0
  /** Where headers begin, and behind them the payload. */
  bodyStart = 0
  bodyEnd = 0
  /** From the second argument to the CR LF behind the payload: the same bytes as in MSG or HMSG. */
  tailStart = 0
  tailEnd = 0
  /** The tail can be sent on as it is: single blanks, and CR LF behind the arguments. */
  /** Whose subscribers get it, where that is not what its subject says; else empty. */
  target = ''
  isTailCanonical = false
  /** `subjectHash` was asked for since the subject changed. */
  isHashed = false
  #hash = 0

  /** `fnv1a` of the subject: not everybody needs it. */
  get subjectHash(): number {
    if (this.isHashed) return this.#hash
    this.isHashed = true
    this.#hash = fnv1a(this.bytes, this.subjectStart, this.subjectEnd)
    return this.#hash
  }

  get hasReply(): boolean {
    return this.replyEnd > this.replyStart
  }

  /** The text of the subject, one character for each byte. */
  subject(): string {
    return this.bytes.toString('latin1', this.subjectStart, this.subjectEnd)
  }

  /** Empty when there is none. */
  reply(): string {
    return this.bytes.toString('latin1', this.replyStart, this.replyEnd)
  }

  /** The reply where it is, borrowed. */
  replyBytes(): TextBytes {
    const bytes = this.bytes.subarray(this.replyStart, this.replyEnd)
    return { bytes, length: bytes.byteLength }
  }

  /** The block of headers where it is, borrowed; null when there is none. */
  headers(): Buffer | null {
    if (!this.hasHeaders || this.headerByteCount === 0) return null
    return this.bytes.subarray(this.bodyStart, this.bodyStart + this.headerByteCount)
  }

  /** The payload where it is, borrowed. */
  payload(): Buffer {
    return this.bytes.subarray(this.bodyStart + this.headerByteCount, this.bodyEnd)
  }
}
