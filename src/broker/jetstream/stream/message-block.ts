/** Messages of one block: memory is taken in steps of so many sequences. */
export const BLOCK_MESSAGES = 8192

/** Bits of a small filter that says which subjects a block can have. */
const HINT_BITS = 1024
const HINT_WORDS = HINT_BITS / 32

const MAX_UINT32 = 0xffffffff

/** Facts about consecutive sequences, 16 bytes for each. A sequence without a message has subject 0. */
export class MessageBlock {
  readonly firstSequence: number
  readonly subjects = new Uint32Array(BLOCK_MESSAGES)
  /** Bytes as the stream counts them. */
  readonly sizes = new Uint32Array(BLOCK_MESSAGES)
  /** How far the next message of the same subject is; 0: not known to be there. */
  readonly nexts = new Uint32Array(BLOCK_MESSAGES)
  /** Milliseconds after `#baseMs`; whole times once they do not fit. */
  #times: Uint32Array | Float64Array = new Uint32Array(BLOCK_MESSAGES)
  #baseMs: number
  readonly #hints = new Uint32Array(HINT_WORDS)
  messageCount = 0
  maxTimeMs = Number.NEGATIVE_INFINITY

  constructor(firstSequence: number, baseMs: number) {
    this.firstSequence = firstSequence
    this.#baseMs = baseMs
  }

  set(index: number, subject: number, size: number, timestampMs: number): void {
    this.subjects[index] = subject
    this.sizes[index] = size
    this.messageCount++
    const bit = subject % HINT_BITS
    const word = bit >>> 5
    this.#hints[word] = (this.#hints[word] as number) | (1 << (bit & 31))
    if (timestampMs > this.maxTimeMs) this.maxTimeMs = timestampMs
    const delta = timestampMs - this.#baseMs
    if (!(delta >= 0 && delta <= MAX_UINT32)) this.#widen()
    this.#times[index] = timestampMs - this.#baseMs
  }

  remove(index: number): void {
    this.subjects[index] = 0
    this.messageCount--
  }

  timeOf(index: number): number {
    return this.#baseMs + (this.#times[index] as number)
  }

  /** False: it has no message of the subject. */
  mayHave(subject: number): boolean {
    const bit = subject % HINT_BITS
    return ((this.#hints[bit >>> 5] as number) & (1 << (bit & 31))) !== 0
  }

  /** Subjects have other numbers now. */
  renumber(newIds: Uint32Array): void {
    this.#hints.fill(0)
    const { subjects } = this
    for (let i = 0; i < BLOCK_MESSAGES; i++) {
      const id = newIds[subjects[i] as number] as number
      subjects[i] = id
      if (id === 0) continue
      const bit = id % HINT_BITS
      const word = bit >>> 5
      this.#hints[word] = (this.#hints[word] as number) | (1 << (bit & 31))
    }
  }

  #widen(): void {
    if (this.#times instanceof Float64Array) return
    const times = new Float64Array(BLOCK_MESSAGES)
    for (let i = 0; i < BLOCK_MESSAGES; i++) times[i] = this.timeOf(i)
    this.#times = times
    this.#baseMs = 0
  }
}

/** First index in `[from, to)` whose subject is flagged, or -1. */
export function findFlagged(
  subjects: Uint32Array,
  from: number,
  to: number,
  flags: Uint8Array,
): number {
  for (let i = from; i < to; i++) if (flags[subjects[i] as number] === 1) return i
  return -1
}

export function countFlagged(
  subjects: Uint32Array,
  from: number,
  to: number,
  flags: Uint8Array,
): number {
  let count = 0
  for (let i = from; i < to; i++) count += flags[subjects[i] as number] as number
  return count
}

/** First index in `[from, to)` with a message, or -1. */
export function findMessage(subjects: Uint32Array, from: number, to: number): number {
  for (let i = from; i < to; i++) if (subjects[i] !== 0) return i
  return -1
}

export function countMessages(subjects: Uint32Array, from: number, to: number): number {
  let count = 0
  for (let i = from; i < to; i++) if (subjects[i] !== 0) count++
  return count
}
