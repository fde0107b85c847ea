import { CarriedBytes } from './carried-bytes.ts'
import { Command, commandAt, INCOMPLETE, UNKNOWN, verbByteCount } from './command.ts'
import {
  Args,
  BLANK,
  CR,
  isBreak,
  LF,
  lineFeedAt,
  NO_SIZE,
  skipBlanks,
  wordsOf,
} from './control-line.ts'
import { ErrorText } from './error-text.ts'
import type { OperationSink } from './operation-sink.ts'
import { PublishedMessage } from './published-message.ts'

export interface ParserLimits {
  /** Bytes of the arguments of one operation (`max_control_line`). */
  readonly maxControlLineBytes: number
  /** Headers and payload of one message (`max_payload`). */
  readonly maxPayloadBytes: number
}

const CR_LF_BYTES = 2

const MAX_PUB_ARGS = 3
const MAX_HPUB_ARGS = 4

const DOT = 46

/** A subject up to this length is recognised when the first message of the next chunk has it too. */
const MAX_REMEMBERED_BYTES = 256

/**
 * Cuts the bytes of one client into operations, wherever the chunks end. Operations that are whole in
 * a chunk are read where they are; only one that is split is copied, once. Nothing is allocated for a
 * byte or for a message that is passed on.
 */
export class NatsParser {
  /** HPUB is allowed: the client said `headers` in its CONNECT. */
  allowsHeaders = false
  readonly #sink: OperationSink
  readonly #limits: ParserLimits
  readonly #message = new PublishedMessage()
  readonly #carried = new CarriedBytes()
  /** Bytes of the operation that is split, once its arguments are here; 0 before. */
  #neededBytes = 0
  #isStopped = false
  #isHeld = false
  readonly #args = new Args()
  /** Where the subject of the message before is: in what is parsed, and afterwards in memory of its own. */
  readonly #ownSubject = Buffer.alloc(MAX_REMEMBERED_BYTES)
  #lastSubject: Buffer = this.#ownSubject
  #lastSubjectStart = 0
  #lastSubjectBytes = 0

  constructor(sink: OperationSink, limits: ParserLimits) {
    this.#sink = sink
    this.#limits = limits
  }

  /** After this nothing that came is looked at any more. */
  stop(): void {
    this.#isStopped = true
    this.#carried.drop()
  }

  /** Looks at nothing behind the operation that is handled now, until `release`. */
  hold(): void {
    this.#isHeld = true
  }

  /** Goes on with what came since `hold`. */
  release(): void {
    this.#isHeld = false
    const carried = this.#carried
    if (carried.byteCount === 0 || this.#isStopped) return
    const bytes = Buffer.from(carried.bytes.subarray(0, carried.byteCount))
    carried.clear()
    this.received(bytes, 0, bytes.byteLength)
  }

  /** Where the rest of a large message can be read to without a copy, or null. */
  directBuffer(): Buffer | null {
    return this.#carried.directBuffer(this.#neededBytes)
  }

  /** So many bytes were read into the last `directBuffer`. */
  receivedDirectly(byteCount: number): void {
    if (this.#isStopped) return
    this.#carried.byteCount += byteCount
    if (this.#carried.byteCount >= this.#neededBytes) this.#parseCarried()
  }

  /** `bytes[start..end)` came. They are not needed after the call. */
  received(bytes: Buffer, start: number, end: number): void {
    let at = start
    while (!this.#isHeld && this.#carried.byteCount > 0 && at < end && !this.#isStopped) {
      at = this.#carryOn(bytes, at, end)
    }
    if (at >= end || this.#isStopped) return
    const rest = this.#parse(bytes, at, end)
    if (rest < end && !this.#isStopped) {
      this.#carried.append(bytes, rest, end, this.#neededBytes)
    }
  }

  /** Adds to the operation that is split what belongs to it, and no more. */
  #carryOn(bytes: Buffer, start: number, end: number): number {
    const carried = this.#carried
    let to: number
    if (this.#neededBytes > 0) {
      to = Math.min(start + this.#neededBytes - carried.byteCount, end)
    } else {
      to = Math.min(lineFeedAt(bytes, start, end) + 1, end)
    }
    carried.append(bytes, start, to, this.#neededBytes)
    if (carried.byteCount >= this.#neededBytes) this.#parseCarried()
    return to
  }

  #parseCarried(): void {
    const { bytes, byteCount } = this.#carried
    if (this.#parse(bytes, 0, byteCount) === byteCount) {
      this.#neededBytes = 0
      this.#carried.clear()
    }
  }

  /** Handles whole operations; returns where the first one begins that is not whole. */
  #parse(bytes: Buffer, start: number, end: number): number {
    const rest = this.#parseAll(bytes, start, end)
    this.#keepLastSubject()
    return rest
  }

  #parseAll(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && !this.#isHeld) {
      const command = commandAt(bytes, at, end)
      let next: number
      if (command === Command.PUB) next = this.#publish(bytes, at, at + 3, end, false)
      else if (command === Command.HPUB) next = this.#publish(bytes, at, at + 4, end, true)
      else next = this.#control(command, bytes, at, end)
      if (this.#isStopped) return end
      if (next === INCOMPLETE) return at
      at = next
    }
    return at
  }

  /** @returns where the next operation begins, or INCOMPLETE */
  #publish(bytes: Buffer, start: number, verbEnd: number, end: number, isHpub: boolean): number {
    this.#neededBytes = 0
    const argsStart = skipBlanks(bytes, verbEnd, end)
    const subjectEnd = this.#subjectEnd(bytes, argsStart, end)
    const args = this.#args
    const count = args.split(bytes, argsStart, subjectEnd, end)
    if (count === INCOMPLETE) {
      this.#lastSubjectBytes = 0
      return this.#incomplete(start, argsStart, end)
    }
    const { lineEnd } = args
    if (this.#isTooLong(start, argsStart, lineEnd)) return this.#refuseLine()
    if (count === UNKNOWN) return this.#refuseOperation('a carriage return inside of arguments')
    const maxArgs = isHpub ? MAX_HPUB_ARGS : MAX_PUB_ARGS
    if (count > maxArgs || count < maxArgs - 1) return this.#refuseQuietly('PUB: argument count')
    const size = args.lastSize(bytes)
    const headerByteCount = isHpub ? args.sizeAt(bytes, count - 2) : 0
    if (!this.#isAcceptable(size, headerByteCount, isHpub)) return INCOMPLETE
    const bodyStart = bytes[lineEnd] === CR ? lineEnd + CR_LF_BYTES : lineEnd + 1
    const next = bodyStart + size + CR_LF_BYTES
    if (next > end) {
      this.#neededBytes = next - start
      // Not that of the message before: only a message that was handed over is one.
      this.#lastSubjectBytes = 0
      return INCOMPLETE
    }
    if (bytes[next - 2] !== CR || bytes[next - 1] !== LF) {
      return this.#refuseOperation('no line end behind a payload')
    }
    this.#fill(bytes, isHpub, headerByteCount, bodyStart, next)
    this.#sink.publish(this.#message)
    return next
  }

  #fill(
    bytes: Buffer,
    isHpub: boolean,
    headerByteCount: number,
    bodyStart: number,
    next: number,
  ): void {
    const message = this.#message
    const args = this.#args
    const { positions } = args
    message.bytes = bytes
    message.subjectStart = positions[0] as number
    message.subjectEnd = positions[1] as number
    const tailStart = positions[2] as number
    message.replyStart = tailStart
    message.replyEnd =
      args.count === (isHpub ? MAX_HPUB_ARGS : MAX_PUB_ARGS) ? (positions[3] as number) : tailStart
    message.hasHeaders = isHpub
    message.headerByteCount = headerByteCount
    message.bodyStart = bodyStart
    message.bodyEnd = next - CR_LF_BYTES
    message.tailStart = tailStart
    message.tailEnd = next
    message.isTailCanonical = args.isTailCanonical(bytes)
  }

  /** Where the subject ends; fills in what the message has to say about it. */
  #subjectEnd(bytes: Buffer, start: number, end: number): number {
    const message = this.#message
    const last = this.#lastSubject
    const lastStart = this.#lastSubjectStart
    const lastBytes = this.#lastSubjectBytes
    const to = start + lastBytes
    if (lastBytes > 0 && to < end && isBreak(bytes[to] as number)) {
      let i = 0
      while (i < lastBytes && last[lastStart + i] === bytes[start + i]) i++
      if (i === lastBytes) {
        message.isSameSubject = true
        return to
      }
    }
    let at = start
    let before = DOT
    let hasEmptyToken = false
    for (; at < end; at++) {
      const byte = bytes[at] as number
      if (byte <= BLANK && isBreak(byte)) break
      if (byte === DOT && before === DOT) hasEmptyToken = true
      before = byte
    }
    message.isSameSubject = false
    message.isHashed = false
    message.hasEmptyToken = hasEmptyToken || before === DOT
    this.#lastSubject = bytes
    this.#lastSubjectStart = start
    this.#lastSubjectBytes = at - start
    return at
  }

  /** What was parsed is gone after this. */
  #keepLastSubject(): void {
    const byteCount = this.#lastSubjectBytes
    const from = this.#lastSubject
    const own = this.#ownSubject
    if (from === own) return
    const start = this.#lastSubjectStart
    if (byteCount > MAX_REMEMBERED_BYTES) this.#lastSubjectBytes = 0
    else for (let i = 0; i < byteCount; i++) own[i] = from[start + i] as number
    this.#lastSubject = own
    this.#lastSubjectStart = 0
  }

  /** Says no to sizes that nats-server refuses, in its order. */
  #isAcceptable(size: number, headerByteCount: number, isHpub: boolean): boolean {
    if (isHpub && !this.allowsHeaders) this.#refuseQuietly('HPUB from a client without headers')
    else if (headerByteCount === NO_SIZE || size === NO_SIZE) this.#refuseQuietly('a bad size')
    else if (headerByteCount > size) this.#refuseQuietly('headers larger than the whole')
    else if (size > this.#limits.maxPayloadBytes) {
      this.#refuse(ErrorText.MAX_PAYLOAD, `a payload of ${size} bytes`)
    } else return true
    return false
  }

  /** Everything but PUB and HPUB: seldom, so it may make texts. */
  #control(command: number, bytes: Buffer, start: number, end: number): number {
    this.#neededBytes = 0
    if (command === UNKNOWN) return this.#refuseOperation('an unknown operation')
    const argsStart = skipBlanks(bytes, start + verbByteCount(command), end)
    if (command === INCOMPLETE) return INCOMPLETE
    const lf = lineFeedAt(bytes, argsStart, end)
    if (lf === end) return this.#incomplete(start, argsStart, end)
    const argsEnd = lf > argsStart && bytes[lf - 1] === CR ? lf - 1 : lf
    if (this.#isTooLong(start, argsStart, argsEnd)) return this.#refuseLine()
    this.#handle(command, bytes, argsStart, argsEnd)
    return lf + 1
  }

  #handle(command: number, bytes: Buffer, start: number, end: number): void {
    const sink = this.#sink
    if (command === Command.PING) sink.ping()
    else if (command === Command.PONG) sink.pong()
    else if (command === Command.CONNECT) sink.connect(bytes.toString('utf8', start, end))
    else if (command === Command.ERR) this.#refuseQuietly('the client reports an error')
    else if (command === Command.SUB || command === Command.UNSUB) {
      this.#subscription(command, wordsOf(bytes.toString('latin1', start, end)))
    }
    // INFO and +OK from a client mean nothing.
  }

  #subscription(command: number, words: readonly string[]): void {
    const [first = '', second = '', third] = words
    if (command === Command.SUB && words.length === 2) this.#sink.subscribe(first, '', second)
    else if (command === Command.SUB && third !== undefined && words.length === 3) {
      this.#sink.subscribe(first, second, third)
    } else if (command === Command.UNSUB && (words.length === 1 || words.length === 2)) {
      this.#sink.unsubscribe(first, /^\d{1,9}$/.test(second) ? Number(second) : 0)
    } else this.#refuseQuietly('SUB or UNSUB: argument count')
  }

  /** The line is not whole. It may grow to the limit, and then have a CR that does not count. */
  #incomplete(start: number, argsStart: number, end: number): number {
    return this.#isTooLong(start, argsStart, end - 1) ? this.#refuseLine() : INCOMPLETE
  }

  /** Blanks in front of the arguments do not count to them, but they are kept: they have a limit too. */
  #isTooLong(start: number, argsStart: number, argsEnd: number): boolean {
    const maxBytes = this.#limits.maxControlLineBytes
    return argsEnd - argsStart > maxBytes || argsStart - start > maxBytes
  }

  #refuseLine(): number {
    return this.#refuse(ErrorText.MAX_CONTROL_LINE, 'a control line is too long')
  }

  #refuseOperation(reason: string): number {
    return this.#refuse(ErrorText.UNKNOWN_OPERATION, reason)
  }

  #refuseQuietly(reason: string): number {
    return this.#refuse(null, reason)
  }

  #refuse(text: string | null, reason: string): number {
    this.stop()
    this.#sink.refuse(text, reason)
    return INCOMPLETE
  }
}
