import {
  type AcquiredSpan,
  type DeliveryLimits,
  DeliveryState,
  type OffsetSpan,
} from './delivery-state.ts'
import { InFlightBatch, type InFlightRange, moveRange, NO_OWNER, NOW } from './in-flight-batch.ts'
import { isAvailable, type WindowState } from './window-state.ts'

export interface AcquireRequest {
  readonly owner: string
  /** Where the read began. */
  readonly fetchOffset: number
  /** The record batches that were read, in order. */
  readonly batches: readonly OffsetSpan[]
  /** Never more than `maxRecordCount`; else whole record batches, so perhaps some more. */
  readonly isRecordLimit: boolean
  /** New records are acquired in spans of about so many, cut at record batches. */
  readonly batchSize: number
  readonly maxRecordCount: number
}

export interface Acquired {
  readonly spans: readonly AcquiredSpan[]
  readonly recordCount: number
}

const NOTHING: Acquired = { spans: [], recordCount: 0 }
/** Records with fewer deliveries than this are given in any number. */
const MIN_THROTTLED_DELIVERY_COUNT = 2

/**
 * Gives records to a consumer: those of the batches that nobody has, and those that come after
 * everything that was given so far. What was delivered often is given in small portions, the last
 * time alone: one bad record must not take its neighbours with it.
 * Source: SharePartition.acquire of Kafka 4.4.
 */
export function acquire(
  state: WindowState,
  request: AcquireRequest,
  limits: DeliveryLimits,
  nowMs: number,
): Acquired {
  return new Acquisition(state, request, limits, nowMs).run()
}

class Acquisition {
  readonly #state: WindowState
  readonly #request: AcquireRequest
  readonly #limits: DeliveryLimits
  readonly #nowMs: number
  readonly #spans: AcquiredSpan[] = []
  #recordCount = 0

  constructor(state: WindowState, request: AcquireRequest, limits: DeliveryLimits, nowMs: number) {
    this.#state = state
    this.#request = request
    this.#limits = limits
    this.#nowMs = nowMs
  }

  run(): Acquired {
    const { batches, fetchOffset } = this.#request
    const readFrom = batches[0]?.firstOffset
    const readTo = batches.at(-1)?.lastOffset
    if (readFrom === undefined || readTo === undefined) return NOTHING
    if (readTo < this.#state.startOffset) return NOTHING
    const { lastOffset, maxCount } = this.#bounds(readTo)
    if (maxCount <= 0) return NOTHING
    this.#archiveMissing(fetchOffset, readFrom)
    const firstOffset = this.#firstOffset(readFrom)
    const known = this.#state.batches.between(Math.min(readFrom, firstOffset), lastOffset)
    if (known.length === 0) this.#acquireNew(firstOffset, lastOffset, maxCount)
    else this.#acquireAmong(known, firstOffset, lastOffset, maxCount)
    return { spans: this.#spans, recordCount: this.#recordCount }
  }

  /** At the limit of records in flight only what is in flight already can be given again. */
  #bounds(readTo: number): { lastOffset: number; maxCount: number } {
    const { fetchOffset, maxRecordCount } = this.#request
    const room = this.#limits.maxInFlightCount - this.#state.inFlightCount
    const maxCount = Math.min(maxRecordCount, room)
    const { endOffset } = this.#state
    if (maxCount > 0 || fetchOffset > endOffset) return { lastOffset: readTo, maxCount }
    return {
      lastOffset: Math.min(readTo, endOffset),
      maxCount: Math.min(maxRecordCount, endOffset - fetchOffset + 1),
    }
  }

  /** The log has nothing between where the read began and its first batch: compacted away. */
  #archiveMissing(fetchOffset: number, readFrom: number): void {
    if (fetchOffset >= readFrom) return
    const hasArchived = this.#state.archive(fetchOffset, readFrom - 1, DeliveryState.AVAILABLE)
    if (hasArchived) this.#state.mustSearch = true
  }

  #firstOffset(readFrom: number): number {
    const floor = this.#state.batches.floor(readFrom)
    if (floor === undefined) return Math.max(readFrom, this.#state.startOffset)
    return floor.lastOffset >= readFrom ? floor.firstOffset : readFrom
  }

  #acquireAmong(
    known: readonly InFlightBatch[],
    firstOffset: number,
    lastOffset: number,
    maxCount: number,
  ): void {
    let gapOffset = firstOffset
    let isAlone = false
    for (const batch of known) {
      if (this.#recordCount >= maxCount || isAlone) break
      if (this.#state.gapOffset !== null) {
        if (gapOffset < batch.firstOffset) {
          this.#acquireNew(gapOffset, batch.firstOffset - 1, maxCount - this.#recordCount)
        }
        gapOffset = batch.lastOffset + 1
        if (this.#recordCount >= maxCount) break
      }
      isAlone = this.#acquireBatch(batch, lastOffset, maxCount - this.#recordCount)
    }
    const lastKnown = this.#state.batches.floor(lastOffset)?.lastOffset ?? lastOffset
    if (!isAlone && this.#recordCount < maxCount && lastKnown < lastOffset) {
      this.#acquireNew(lastKnown + 1, lastOffset, maxCount - this.#recordCount)
    }
    const last = this.#spans.at(-1)
    // Holes that are still there then are empty: the log lost what was in them.
    const isThrough = !isAlone && this.#recordCount < maxCount
    if (isThrough) this.#state.moveGap(Math.max(lastOffset, lastKnown) + 1)
    else if (last !== undefined) this.#state.moveGap(last.lastOffset + 1)
  }

  /** @returns true when nothing else may be given in this turn */
  #acquireBatch(batch: InFlightBatch, lastOffset: number, maxCount: number): boolean {
    const readFrom = (this.#request.batches[0] as OffsetSpan).firstOffset
    const isThrottled = this.#isThrottled(batch, readFrom, lastOffset)
    if (isThrottled && this.#recordCount > 0) return true
    const isTooMany = this.#request.isRecordLimit && batch.recordCount > maxCount
    const { whole } = batch
    if (whole !== null && !isAvailable(whole, this.#nowMs)) return false
    if (whole !== null && batch.isWithin(readFrom, lastOffset) && !isTooMany && !isThrottled) {
      const span = this.#take(whole)
      if (span !== null) this.#give([span])
      return false
    }
    batch.split()
    const count = this.#acquireParts(batch, readFrom, lastOffset, maxCount)
    return isThrottled && count > 0
  }

  #isThrottled(batch: InFlightBatch, firstOffset: number, lastOffset: number): boolean {
    const limit = throttledDeliveryCount(this.#limits.maxDeliveryCount)
    if (batch.whole !== null) {
      return isAvailable(batch.whole, this.#nowMs) && batch.whole.deliveryCount >= limit
    }
    return batch.ranges.some(
      (range) =>
        range.lastOffset >= firstOffset &&
        range.firstOffset <= lastOffset &&
        isAvailable(range, this.#nowMs) &&
        range.deliveryCount >= limit,
    )
  }

  #acquireParts(
    batch: InFlightBatch,
    firstOffset: number,
    lastOffset: number,
    maxCount: number,
  ): number {
    const { maxDeliveryCount } = this.#limits
    const throttledFrom = throttledDeliveryCount(maxDeliveryCount)
    const hasLastTurn = maxDeliveryCount > MIN_THROTTLED_DELIVERY_COUNT
    const spans: AcquiredSpan[] = []
    let count = 0
    let limit = this.#request.isRecordLimit ? maxCount : Number.POSITIVE_INFINITY
    for (const range of batch.cut(firstOffset, lastOffset)) {
      if (!isAvailable(range, this.#nowMs)) continue
      const { firstOffset: from } = range
      const isLastTurn = hasLastTurn && range.deliveryCount === maxDeliveryCount - 1
      if (isLastTurn && count > 0) break
      if (range.deliveryCount >= throttledFrom) {
        const portion = Math.max(1, batch.recordCount >> (range.deliveryCount - throttledFrom + 1))
        if (count < portion) limit = Math.min(limit, portion)
      }
      const size = isLastTurn ? 1 : Math.min(range.lastOffset - from + 1, limit - count)
      const [part] = batch.cut(from, Math.min(range.lastOffset, from + size - 1))
      const span = part === undefined ? null : this.#take(part)
      if (span === null) continue
      spans.push(span)
      count += size
      if (isLastTurn || count >= limit) break
    }
    this.#give(joinSpans(spans))
    batch.join()
    return count
  }

  #take(range: InFlightRange): AcquiredSpan | null {
    const { maxDeliveryCount, hasDeadLetters } = this.#limits
    const { owner } = this.#request
    const move = { state: DeliveryState.ACQUIRED, owner, maxDeliveryCount, hasDeadLetters }
    if (!moveRange(range, move)) return null
    const { firstOffset, lastOffset, deliveryCount } = range
    this.#lock(range)
    return { firstOffset, lastOffset, deliveryCount }
  }

  #lock(range: InFlightRange): void {
    this.#state.setDue(range, this.#nowMs + this.#limits.lockDurationMs(range.deliveryCount))
  }

  #give(spans: readonly AcquiredSpan[]): void {
    for (const span of spans) {
      this.#spans.push(span)
      this.#recordCount += span.lastOffset - span.firstOffset + 1
    }
  }

  /** Records that nobody had so far. */
  #acquireNew(firstOffset: number, lastOffset: number, maxCount: number): void {
    const state = this.#state
    // The log may begin within a batch: what comes before is still read, and nobody's any more.
    let from = Math.max(firstOffset, state.startOffset)
    if (from > lastOffset) return
    if (state.batches.size === 0 && state.endOffset > from) from = state.endOffset
    let to = lastOffset
    if (maxCount < to - from + 1) {
      to = this.#endOfBatch(from + maxCount - 1)
      if (state.gapOffset !== null) to = Math.min(to, lastOffset)
    }
    const { isRecordLimit } = this.#request
    const spans = isRecordLimit ? [this.#newPart(from, to, maxCount)] : this.#newBatches(from, to)
    if (state.batches.first?.firstOffset === from) state.startOffset = from
    state.endOffset = Math.max(state.endOffset, to)
    this.#give(spans)
    state.moveGap((isRecordLimit ? (spans[0]?.lastOffset ?? to) : to) + 1)
  }

  #newBatches(firstOffset: number, lastOffset: number): AcquiredSpan[] {
    const { batchSize, batches } = this.#request
    const spans: AcquiredSpan[] = []
    let from = firstOffset
    if (lastOffset - firstOffset + 1 > batchSize) {
      for (const { firstOffset: batchOffset } of batches) {
        if (batchOffset > lastOffset) break
        if (batchOffset - from < batchSize) continue
        spans.push({ firstOffset: from, lastOffset: batchOffset - 1, deliveryCount: 1 })
        from = batchOffset
      }
    }
    spans.push({ firstOffset: from, lastOffset, deliveryCount: 1 })
    for (const span of spans) this.#insert(span.firstOffset, span.lastOffset)
    return spans
  }

  /** The batch is known as a whole, but no more of it is given than was asked for. */
  #newPart(firstOffset: number, lastOffset: number, maxCount: number): AcquiredSpan {
    const batch = this.#insert(firstOffset, lastOffset)
    if (batch.recordCount <= maxCount) return { firstOffset, lastOffset, deliveryCount: 1 }
    const lastGiven = firstOffset + maxCount - 1
    batch.split()
    for (const rest of batch.cut(lastGiven + 1, lastOffset)) {
      rest.state = DeliveryState.AVAILABLE
      rest.deliveryCount = 0
      rest.owner = NO_OWNER
      rest.dueMs = NOW
    }
    this.#state.mustSearch = true
    return { firstOffset, lastOffset: lastGiven, deliveryCount: 1 }
  }

  #insert(firstOffset: number, lastOffset: number): InFlightBatch {
    const range: InFlightRange = {
      firstOffset,
      lastOffset,
      state: DeliveryState.ACQUIRED,
      deliveryCount: 1,
      owner: this.#request.owner,
      dueMs: NOW,
      transition: null,
    }
    this.#lock(range)
    const batch = new InFlightBatch(range)
    this.#state.batches.insert(batch)
    return batch
  }

  /** The end of the record batch that holds the offset; the offset itself in a hole. */
  #endOfBatch(offset: number): number {
    let end = offset
    for (const { firstOffset, lastOffset } of this.#request.batches) {
      if (firstOffset > offset) break
      end = Math.max(offset, lastOffset)
    }
    return end
  }
}

function throttledDeliveryCount(maxDeliveryCount: number): number {
  return Math.max(MIN_THROTTLED_DELIVERY_COUNT, Math.ceil(maxDeliveryCount / 2))
}

function joinSpans(spans: readonly AcquiredSpan[]): AcquiredSpan[] {
  const joined: AcquiredSpan[] = []
  for (const span of spans) {
    const last = joined.at(-1)
    const isNext = last !== undefined && last.lastOffset + 1 === span.firstOffset
    if (isNext && last.deliveryCount === span.deliveryCount) {
      joined[joined.length - 1] = { ...last, lastOffset: span.lastOffset }
    } else {
      joined.push(span)
    }
  }
  return joined
}
