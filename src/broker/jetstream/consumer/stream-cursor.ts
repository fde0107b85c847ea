import type { StreamReader } from '../stream/stream-reader.ts'
import type { SubjectFilter } from '../stream/subject-filter.ts'

/** Sequences that come first, before the stream is read on from another place. */
interface FirstOnes {
  readonly sequences: readonly number[]
  index: number
  /** Where the stream is read on behind them. */
  readonly resumeAt: number
}

/**
 * Where a consumer reads next, and how many messages are in front of it. That count is exact: clients
 * take zero as the end of what was there.
 */
export class StreamCursor {
  readonly #reader: StreamReader
  #filter: SubjectFilter
  #next: number
  #first: FirstOnes | null = null
  /** null: to be counted anew. */
  #pending: number | null = null

  constructor(reader: StreamReader, filter: SubjectFilter, next: number) {
    this.#reader = reader
    this.#filter = filter
    this.#next = next
  }

  /** Begins with the last message of each subject, and goes on with what comes after now. */
  static lastPerSubject(reader: StreamReader, filter: SubjectFilter): StreamCursor {
    const sequences = reader.lastPerSubject(filter)
    const resumeAt = reader.lastSequence + 1
    const cursor = new StreamCursor(reader, filter, sequences[0] ?? resumeAt)
    if (sequences.length > 0) cursor.#first = { sequences, index: 0, resumeAt }
    return cursor
  }

  /** Nothing before it is delivered for the first time. */
  get next(): number {
    return this.#next
  }

  /** Messages that pass and were not delivered so far. */
  get pendingCount(): number {
    this.#pending ??= this.#count()
    return this.#pending
  }

  /** The sequences that come next, at most `maxCount`; nothing is taken yet. */
  peek(maxCount: number): number[] {
    const found: number[] = []
    const first = this.#first
    if (first !== null) {
      for (let i = first.index; i < first.sequences.length && found.length < maxCount; i++) {
        found.push(first.sequences[i] as number)
      }
    }
    let from = first === null ? this.#next : first.resumeAt
    while (found.length < maxCount) {
      const sequence = this.#reader.nextSequence(from, this.#filter)
      if (sequence === Number.POSITIVE_INFINITY) break
      found.push(sequence)
      from = sequence + 1
    }
    return found
  }

  /** Everything up to the sequence was delivered or is gone. */
  take(sequence: number, isThere: boolean): void {
    this.#next = sequence + 1
    if (!isThere) this.#pending = null
    else if (this.#pending !== null) this.#pending--
    const first = this.#first
    if (first === null) return
    while ((first.sequences[first.index] ?? Number.POSITIVE_INFINITY) <= sequence) first.index++
    if (first.index < first.sequences.length) return
    this.#first = null
    this.#next = Math.max(this.#next, first.resumeAt)
  }

  appended(firstSequence: number, lastSequence: number): void {
    if (this.#pending === null || lastSequence < this.#next) return
    const from = Math.max(firstSequence, this.#next)
    const count = this.#reader.pendingCount(from, this.#filter)
    // More may be there than was told so far.
    this.#pending += count - this.#reader.pendingCount(lastSequence + 1, this.#filter)
  }

  removed(lastSequence: number): void {
    if (lastSequence >= this.#next) this.#pending = null
  }

  setFilter(filter: SubjectFilter): void {
    this.#filter = filter
    this.#pending = null
  }

  seek(next: number): void {
    this.#next = next
    this.#first = null
    this.#pending = null
  }

  #count(): number {
    const first = this.#first
    if (first === null) return this.#reader.pendingCount(this.#next, this.#filter)
    let count = this.#reader.pendingCount(first.resumeAt, this.#filter)
    for (let i = first.index; i < first.sequences.length; i++) {
      if (this.#isThere(first.sequences[i] as number)) count++
    }
    return count
  }

  #isThere(sequence: number): boolean {
    return this.#reader.nextSequence(sequence, this.#filter) === sequence
  }
}
