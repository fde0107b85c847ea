import { BatchList } from './batch-list.ts'
import { DeliveryState, isFinal } from './delivery-state.ts'
import { type InFlightBatch, type InFlightRange, NEVER, NO_OWNER } from './in-flight-batch.ts'

/** Offsets that were never given to anybody, before `endOffset` as it was at the start. */
interface Gap {
  startOffset: number
  readonly endOffset: number
}

/**
 * The records that are on their way to consumers. `startOffset` is the oldest that is not finished;
 * `endOffset` the newest in the batches, or the next one to come while there are none.
 */
export class WindowState {
  readonly batches = new BatchList()
  startOffset: number
  endOffset: number
  /** A record before the end may be available: the next read has to look for it. */
  mustSearch = false
  #gap: Gap | null = null
  /** No lock runs out and no delay ends before. */
  nextDueMs = NEVER

  constructor(startOffset: number) {
    this.startOffset = startOffset
    this.endOffset = startOffset
  }

  /** Takes the holes between restored batches for records that nobody was given yet. */
  openGap(startOffset: number): void {
    this.#gap = { startOffset, endOffset: this.endOffset }
  }

  /** Where the first hole begins; null when all holes are known to be empty. */
  get gapOffset(): number | null {
    return this.#gap !== null && this.#gap.endOffset === this.endOffset
      ? this.#gap.startOffset
      : null
  }

  /** All before the offset was looked at. */
  moveGap(offset: number): void {
    if (this.#gap === null) return
    if (this.gapOffset !== null && offset <= this.#gap.endOffset) this.#gap.startOffset = offset
    else this.#gap = null
  }

  /** Nothing is in flight. */
  get isEmpty(): boolean {
    const { last } = this.batches
    return last === undefined || this.startOffset > last.lastOffset
  }

  get inFlightCount(): number {
    return this.batches.size === 0 ? 0 : this.endOffset - this.startOffset + 1
  }

  /** Finished records that the start has not passed yet, those included that are not durable. */
  get completeCount(): number {
    let count = 0
    for (const batch of this.batches) {
      for (const { state, firstOffset, lastOffset } of batch.ranges) {
        if (!isFinal(state) || lastOffset < this.startOffset) continue
        count += lastOffset - Math.max(firstOffset, this.startOffset) + 1
      }
    }
    return count
  }

  setDue(range: InFlightRange, dueMs: number): void {
    range.dueMs = dueMs
    if (dueMs > 0 && dueMs < this.nextDueMs) this.nextDueMs = dueMs
  }

  /** Where the next read begins. */
  nextFetchOffset(nowMs: number): number {
    const next = this.batches.size === 0 || this.isEmpty ? this.endOffset : this.endOffset + 1
    if (!this.mustSearch) return next
    const found = this.isEmpty ? null : this.#firstAvailable(nowMs)
    if (found === null) this.mustSearch = false
    return found ?? next
  }

  #firstAvailable(nowMs: number): number | null {
    let gapOffset = this.gapOffset
    for (const batch of this.batches) {
      if (gapOffset !== null) {
        if (batch.firstOffset > gapOffset) return gapOffset
        gapOffset = Math.max(batch.lastOffset + 1, gapOffset)
      }
      for (const range of batch.ranges) if (isAvailable(range, nowMs)) return range.firstOffset
    }
    return null
  }

  /** Ends what is available, or acquired, between two offsets: there is nothing to deliver there. */
  archive(firstOffset: number, lastOffset: number, from: DeliveryState): boolean {
    let hasArchived = false
    for (const batch of this.batches.overlapping(firstOffset, lastOffset)) {
      if (!batch.ranges.some(({ state }) => state === from)) continue
      if (!batch.isWithin(firstOffset, lastOffset)) batch.split()
      for (const range of batch.cut(firstOffset, lastOffset)) {
        if (range.state !== from) continue
        archiveRange(range)
        hasArchived = true
      }
      batch.join()
    }
    return hasArchived
  }

  /**
   * Moves the start behind the finished records, and forgets their batches.
   * @returns false when the oldest record is not finished
   */
  advance(): boolean {
    if (!this.#canAdvance()) return false
    if (this.#advanceByOne()) return true
    const finished = this.#lastFinished()
    if (finished === null) return false
    const lastOffset = this.batches.last?.lastOffset ?? finished
    if (finished === lastOffset) {
      this.startOffset = lastOffset + 1
      this.endOffset = lastOffset + 1
      this.batches.clear()
      return true
    }
    // Behind a whole batch the start jumps over a hole, unless something may be in it.
    const batch = this.batches.floor(finished) as InFlightBatch
    const isWholeBatch = batch.lastOffset === finished
    const next = isWholeBatch
      ? (this.batches.higher(finished)?.firstOffset ?? finished + 1)
      : finished + 1
    this.startOffset = Math.max(this.startOffset, next)
    if (isWholeBatch) this.startOffset = Math.min(this.gapOffset ?? NEVER, this.startOffset)
    this.batches.removeUpTo(finished)
    return true
  }

  /** The usual case of records that are given and finished one by one, in their order. */
  #advanceByOne(): boolean {
    const { first, second } = this.batches
    if (first === undefined || second === undefined || first.recordCount > 1) return false
    const next = second.rangeAt(second.firstOffset)
    const isOpen = next !== undefined && (next.transition !== null || !isFinal(next.state))
    if (!isOpen || this.gapOffset !== null || first.lastOffset < this.startOffset) return false
    this.startOffset = second.firstOffset
    this.batches.removeFirst()
    return true
  }

  #canAdvance(): boolean {
    const range = this.batches.floor(this.startOffset)?.rangeAt(this.startOffset)
    return range !== undefined && range.transition === null && isFinal(range.state)
  }

  /** The last offset before the first record that is not finished. */
  #lastFinished(): number | null {
    let finished: number | null = null
    const { gapOffset } = this
    for (const batch of this.batches) {
      if (gapOffset !== null && batch.lastOffset >= gapOffset) return finished
      for (const range of batch.ranges) {
        // What the log lost can't be delivered, whoever still has it.
        const isGone = range.lastOffset < this.startOffset
        const isOpen = range.transition !== null || !isFinal(range.state)
        if (isOpen && !isGone) return finished
        finished = range.lastOffset
      }
    }
    return finished
  }

  /** Records before the offset are gone from the log. */
  logStartMoved(logStartOffset: number): void {
    if (logStartOffset <= this.startOffset) return
    if (this.batches.size === 0) {
      this.startOffset = logStartOffset
      this.endOffset = logStartOffset
      return
    }
    const { startOffset, gapOffset } = this
    if (gapOffset !== null && gapOffset < logStartOffset) this.moveGap(logStartOffset)
    const hasArchived = this.archive(startOffset, logStartOffset - 1, DeliveryState.AVAILABLE)
    if (hasArchived) this.mustSearch = true
    this.startOffset = logStartOffset
    this.endOffset = Math.max(this.endOffset, logStartOffset)
  }
}

export function isAvailable(range: InFlightRange, nowMs: number): boolean {
  return (
    range.state === DeliveryState.AVAILABLE && range.transition === null && range.dueMs <= nowMs
  )
}

function archiveRange(range: InFlightRange): void {
  range.state = DeliveryState.ARCHIVED
  range.owner = NO_OWNER
  range.dueMs = NEVER
  range.transition = null
}
