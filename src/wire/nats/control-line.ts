import { INCOMPLETE, UNKNOWN } from './command.ts'

export const LF = 10
export const CR = 13
const TAB = 9
export const BLANK = 32
const ZERO = 48
const NINE = 57
const DECIMAL = 10

/** Source: maxParseSizeLen of nats-server; a longer number is no size. */
const MAX_SIZE_DIGITS = 9
export const NO_SIZE = -1

/**
 * Where the arguments of a control line are. A parser has one and fills it again for each line. The
 * subject, the first one, is scanned by the parser itself.
 */
export class Args {
  count = 0
  /** Where the line ends: at its CR or LF. After UNKNOWN: where the CR is that ends no line. */
  lineEnd = 0
  /** Start and end of each of the first `MAX_COUNT`. */
  readonly positions = new Int32Array(2 * MAX_COUNT)
  /** The number behind the first argument, if the line has its plainest form; else NO_SIZE. */
  #plainSize = NO_SIZE

  /** Looks for the arguments behind the first one, which ends at `from`. */
  split(bytes: Buffer, start: number, from: number, end: number): number {
    if (this.#splitPlain(bytes, start, from, end)) return this.count
    const { positions } = this
    let count = 0
    if (from > start) {
      positions[0] = start
      positions[1] = from
      count = 1
    }
    let at = from
    for (;;) {
      at = skipBlanks(bytes, at, end)
      if (at >= end) return INCOMPLETE
      if (isLineEnd(bytes[at] as number)) break
      const argStart = at
      while (at < end && !isBreak(bytes[at] as number)) at++
      if (count < MAX_COUNT) {
        positions[2 * count] = argStart
        positions[2 * count + 1] = at
      }
      count++
    }
    this.count = count
    this.lineEnd = at
    if (bytes[at] === LF) return count
    if (at + 1 >= end) return INCOMPLETE
    return bytes[at + 1] === LF ? count : UNKNOWN
  }

  /** Most lines are a subject, one blank, a number, and CR LF: each byte is looked at once. */
  #splitPlain(bytes: Buffer, start: number, from: number, end: number): boolean {
    this.#plainSize = NO_SIZE
    if (from === start || from >= end || bytes[from] !== BLANK) return false
    const numberStart = from + 1
    let size = 0
    let at = numberStart
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - ZERO
      if (digit < 0 || digit >= DECIMAL) break
      size = size * DECIMAL + digit
    }
    const digitCount = at - numberStart
    if (digitCount === 0 || digitCount > MAX_SIZE_DIGITS || at + 1 >= end) return false
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return false
    const { positions } = this
    positions[0] = start
    positions[1] = from
    positions[2] = numberStart
    positions[3] = at
    this.count = 2
    this.lineEnd = at
    this.#plainSize = size
    return true
  }

  /** The number that the last argument is, or NO_SIZE. */
  lastSize(bytes: Buffer): number {
    return this.#plainSize === NO_SIZE ? this.sizeAt(bytes, this.count - 1) : this.#plainSize
  }

  /** The number that argument `index` is, or NO_SIZE. */
  sizeAt(bytes: Buffer, index: number): number {
    const start = this.positions[2 * index] as number
    const end = this.positions[2 * index + 1] as number
    if (end - start > MAX_SIZE_DIGITS) return NO_SIZE
    let size = 0
    for (let at = start; at < end; at++) {
      const digit = bytes[at] as number
      if (digit < ZERO || digit > NINE) return NO_SIZE
      size = size * DECIMAL + (digit - ZERO)
    }
    return size
  }

  /** From the second argument on there are single blanks, and then CR LF. */
  isTailCanonical(bytes: Buffer): boolean {
    if (this.#plainSize !== NO_SIZE) return true
    const { positions, count, lineEnd } = this
    for (let i = 1; i < count - 1; i++) {
      const argEnd = positions[2 * i + 1] as number
      if (bytes[argEnd] !== BLANK || positions[2 * i + 2] !== argEnd + 1) return false
    }
    return bytes[lineEnd] === CR && positions[2 * count - 1] === lineEnd
  }
}

/** One more than any operation has. */
const MAX_COUNT = 5

export function skipBlanks(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] === BLANK || bytes[at] === TAB)) at++
  return at
}

/** Where the next LF is, or `end`. There may be more bytes behind `end`, which do not count. */
export function lineFeedAt(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== LF) at++
  return at
}

/** Ends an argument. */
export function isBreak(byte: number): boolean {
  return byte <= BLANK && (byte === BLANK || byte === LF || byte === CR || byte === TAB)
}

function isLineEnd(byte: number): boolean {
  return byte === LF || byte === CR
}

/** Words of a line that is seldom enough for texts. */
export function wordsOf(line: string): string[] {
  return line.split(/[ \t\r\n]+/).filter((word) => word !== '')
}
