import type { OffsetSpan } from '../../delivery/delivery-state.ts'
import { type ConsumerStateChange, type PendingMessage, runsOf } from './consumer-state.ts'

/** It grows with what comes next. */
interface FinishedSpan extends OffsetSpan {
  lastOffset: number
}

/** What changed in the progress of a consumer since it was kept the last time. */
export class ProgressChanges {
  readonly #isKept: boolean
  /** Some may be there twice, or be finished since. */
  #given: number[] = []
  #finished: FinishedSpan[] = []
  #exhausted = new Set<number>()
  #hasMoved = false

  /** @param isKept else nothing is noted: nobody would ever take it */
  constructor(isKept: boolean) {
    this.#isKept = isKept
  }

  get hasAny(): boolean {
    return this.#hasMoved || this.#given.length > 0 || this.#finished.length > 0
  }

  /** Messages were delivered, or it began anew. */
  moved(): void {
    this.#hasMoved = this.#isKept
  }

  given(sequence: number): void {
    if (this.#isKept) this.#given.push(sequence)
  }

  finished(firstOffset: number, lastOffset: number): void {
    if (!this.#isKept) return
    const last = this.#finished.at(-1)
    if (last !== undefined && last.lastOffset + 1 === firstOffset) last.lastOffset = lastOffset
    else this.#finished.push({ firstOffset, lastOffset })
  }

  exhausted(sequence: number): void {
    if (this.#isKept) this.#exhausted.add(sequence)
  }

  /** It counts as exhausted no more. */
  recovered(sequence: number): void {
    this.#exhausted.delete(sequence)
    this.finished(sequence, sequence)
  }

  /** @param pending what waits for its ack now */
  toKeep(
    pending: ReadonlyMap<number, PendingMessage>,
  ): Pick<ConsumerStateChange, 'pending' | 'finished' | 'exhausted'> {
    const given = new Set(this.#given.filter((sequence) => pending.has(sequence)))
    return {
      pending: runsOf([...given].sort(ascending), pending),
      finished: this.#finished,
      exhausted: [...this.#exhausted],
    }
  }

  clear(): void {
    this.#given = []
    this.#finished = []
    this.#exhausted = new Set()
    this.#hasMoved = false
  }
}

function ascending(a: number, b: number): number {
  return a - b
}
