import { assert } from '../../base/assert.ts'
import { type AcknowledgeRequest, acknowledge, type Refusal } from './acknowledge.ts'
import { type Acquired, type AcquireRequest, acquire } from './acquire.ts'
import {
  type AcquiredSpan,
  type DeliveryLimits,
  DeliveryState,
  isFinal,
  type OffsetSpan,
  type StateBatch,
} from './delivery-state.ts'
import { DeliveryUpdate, settle } from './delivery-update.ts'
import {
  InFlightBatch,
  type InFlightRange,
  moveRange,
  NEVER,
  NO_OWNER,
  NOW,
  startTransition,
} from './in-flight-batch.ts'
import {
  acquireRecord,
  availableRecords,
  finishRecords,
  type OpenRecord,
  openRecord,
  releaseRecord,
  renewRecord,
} from './single-records.ts'
import { withoutSpans } from './spans.ts'
import { WindowState } from './window-state.ts'

/**
 * The delivery machine of one log and one group of consumers: which records somebody has, how often
 * each was delivered, and which are finished. Pure: reading, storing and time are the caller's. The
 * times are those of one clock that never goes back, in milliseconds.
 */
export class DeliveryWindow {
  readonly #state: WindowState
  readonly #limits: () => DeliveryLimits

  private constructor(state: WindowState, limits: () => DeliveryLimits) {
    this.#state = state
    this.#limits = limits
  }

  /**
   * Goes on from what was kept. Nobody has anything then: what was acquired is available.
   * @param batches in the order of their offsets, none before the start
   */
  static restore(
    startOffset: number,
    batches: readonly StateBatch[],
    limits: () => DeliveryLimits,
  ): DeliveryWindow {
    const state = new WindowState(startOffset)
    let nextOffset = startOffset
    let gapOffset: number | null = null
    for (const batch of batches) {
      assert(batch.firstOffset >= nextOffset, 'restored batches are in order')
      if (gapOffset === null && batch.firstOffset > nextOffset) gapOffset = nextOffset
      nextOffset = batch.lastOffset + 1
      state.batches.insert(new InFlightBatch(restoredRange(batch)))
    }
    if (state.batches.size > 0) {
      state.mustSearch = true
      state.endOffset = nextOffset - 1
      if (gapOffset !== null) state.openGap(gapOffset)
      state.advance()
    }
    return new DeliveryWindow(state, limits)
  }

  /** All before it is finished, and will not be delivered again. */
  get startOffset(): number {
    return this.#state.startOffset
  }

  /** Records from the start that are finished, out of order. */
  get completeCount(): number {
    return this.#state.completeCount
  }

  /** Records between the oldest unfinished one and the newest that was given to anybody. */
  get inFlightCount(): number {
    return this.#state.inFlightCount
  }

  /** When `expire` has something to do; Infinity: never, as things are. */
  get nextDueMs(): number {
    return this.#state.nextDueMs
  }

  /** Records that wait to be in the dead-letter topic. */
  get deadLetters(): StateBatch[] {
    return this.#rangesIn(DeliveryState.ARCHIVING).map(stateOf)
  }

  /** Where to read what can be given next. */
  nextFetchOffset(nowMs: number): number {
    return this.#state.nextFetchOffset(nowMs)
  }

  /** False while the limit of records in flight is met, and none of them is available. */
  canAcquire(nowMs: number): boolean {
    const { endOffset, inFlightCount } = this.#state
    if (this.nextFetchOffset(nowMs) !== endOffset + 1) return true
    return inFlightCount < this.#limits().maxInFlightCount
  }

  /** @param missing offsets of what was read that hold no record to deliver, in order */
  acquire(request: AcquireRequest, nowMs: number, missing: readonly OffsetSpan[] = []): Acquired {
    const acquired = acquire(this.#state, request, this.#limits(), nowMs)
    if (missing.length === 0 || acquired.spans.length === 0) return acquired
    for (const { firstOffset, lastOffset } of missing) {
      this.#state.archive(firstOffset, lastOffset, DeliveryState.ACQUIRED)
    }
    // Nobody will acknowledge these, so nothing else would move the start.
    this.#state.advance()
    return withoutMissing(acquired.spans, missing)
  }

  /**
   * Takes acknowledgements, all of them or none. What they change holds for others once `settle`
   * was told that it is durable.
   * @returns INVALID_RECORD_STATE or INVALID_REQUEST with the text of the answer
   */
  acknowledge(request: AcknowledgeRequest, nowMs: number): DeliveryUpdate | Refusal {
    const update = new DeliveryUpdate()
    const refusal = acknowledge(this.#state, request, this.#limits(), nowMs, update)
    if (refusal === null) return update
    this.settle(update, false, nowMs)
    return refusal
  }

  /** All that the consumer has can be given to others, as after RELEASE. */
  releaseAll(owner: string): DeliveryUpdate {
    const update = new DeliveryUpdate()
    for (const range of this.#rangesIn(DeliveryState.ACQUIRED)) {
      if (range.owner !== owner || range.transition !== null) continue
      const next = range.deliveryCount < this.#limits().maxDeliveryCount ? NOW : NEVER
      const transition = startTransition(range, this.#released(range), next)
      if (transition !== null) update.add(range, transition, 'exhausted')
    }
    return update
  }

  /**
   * Takes back what was not acknowledged in time; this holds at once, even if it never gets durable.
   * @returns what to keep; `settle` moves the window on
   */
  expire(nowMs: number): DeliveryUpdate {
    const update = new DeliveryUpdate()
    const state = this.#state
    for (const range of this.#rangesIn(DeliveryState.ACQUIRED)) {
      if (range.dueMs > nowMs || !moveRange(range, this.#released(range))) continue
      range.dueMs = range.state === DeliveryState.AVAILABLE ? NOW : NEVER
      if (range.state === DeliveryState.AVAILABLE) state.mustSearch = true
      update.add(range, null, 'exhausted')
    }
    state.nextDueMs = NEVER
    for (const batch of state.batches) {
      for (const range of batch.ranges) this.#noteDue(range, nowMs)
      batch.join()
    }
    return update
  }

  #noteDue(range: InFlightRange, nowMs: number): void {
    if (range.dueMs > nowMs) {
      this.#state.setDue(range, range.dueMs)
    } else if (range.state === DeliveryState.AVAILABLE) {
      if (range.dueMs !== NOW) this.#state.mustSearch = true
      range.dueMs = NOW
    }
  }

  /**
   * The changes of an update are durable, so the window moves on; or they are not, and are undone.
   * @returns true when the start moved
   */
  settle(update: DeliveryUpdate, isDurable: boolean, nowMs: number): boolean {
    return settle(this.#state, update, isDurable, nowMs)
  }

  /**
   * Records that were written to the dead-letter topic, or can't be.
   * @returns what to keep; `settle` moves the window on
   */
  archiveDeadLetters({ firstOffset, lastOffset }: OffsetSpan): DeliveryUpdate {
    const update = new DeliveryUpdate()
    for (const batch of this.#state.batches.overlapping(firstOffset, lastOffset)) {
      for (const range of batch.cut(firstOffset, lastOffset)) {
        if (range.state !== DeliveryState.ARCHIVING) continue
        range.state = DeliveryState.ARCHIVED
        range.dueMs = NEVER
        update.add(range, null, 'exhausted')
      }
      batch.join()
    }
    return update
  }

  /** A record that was given to somebody and is not finished; null: it is, or nobody had it. */
  openRecord(offset: number): OpenRecord | null {
    return openRecord(this.#state, offset)
  }

  /** Records that can be given again, lowest first; those that nobody had so far are not among them. */
  availableRecords(nowMs: number, maxCount: number): number[] {
    return availableRecords(this.#state, nowMs, maxCount)
  }

  /**
   * Gives one record to somebody.
   * @returns how often it was delivered by now; 0: it can't be given
   */
  acquireOne(offset: number, owner: string, nowMs: number): number {
    return acquireRecord(this.#state, offset, owner, this.#limits(), nowMs)
  }

  /** Ends what is between the offsets, whoever has it: acknowledged, or gone from the log. */
  finish(span: OffsetSpan, isAcknowledged: boolean): void {
    const { ACKNOWLEDGED, ARCHIVED } = DeliveryState
    finishRecords(this.#state, span, isAcknowledged ? ACKNOWLEDGED : ARCHIVED)
  }

  /** A record can be given to others from `dueMs` on, or is archived if it was delivered too often. */
  release(offset: number, dueMs: number): 'released' | 'exhausted' | null {
    return releaseRecord(this.#state, offset, dueMs, this.#limits().maxDeliveryCount)
  }

  /** The lock of a record starts anew. */
  renew(offset: number, owner: string, nowMs: number): boolean {
    const deliveryCount = this.openRecord(offset)?.deliveryCount ?? 0
    const dueMs = nowMs + this.#limits().lockDurationMs(deliveryCount)
    return renewRecord(this.#state, offset, owner, dueMs)
  }

  /** The log begins later now: what was before can't be delivered any more. */
  logStartMoved(logStartOffset: number): void {
    this.#state.logStartMoved(logStartOffset)
  }

  /** Ranges in a state; those that the start cut in two come as two. */
  #rangesIn(state: DeliveryState): InFlightRange[] {
    const found: InFlightRange[] = []
    const { startOffset, batches } = this.#state
    for (const batch of batches) {
      if (!batch.ranges.some((range) => range.state === state)) continue
      if (batch.firstOffset < startOffset && batch.lastOffset >= startOffset) {
        batch.split()
        batch.cut(startOffset, batch.lastOffset)
      }
      for (const range of batch.ranges) if (range.state === state) found.push(range)
    }
    return found
  }

  #released(range: InFlightRange): Parameters<typeof moveRange>[1] {
    const { maxDeliveryCount, hasDeadLetters } = this.#limits()
    const isGone = range.lastOffset < this.#state.startOffset
    const state = isGone ? DeliveryState.ARCHIVED : DeliveryState.AVAILABLE
    return { state, owner: NO_OWNER, maxDeliveryCount, hasDeadLetters }
  }
}

function restoredRange({
  firstOffset,
  lastOffset,
  state,
  deliveryCount,
}: StateBatch): InFlightRange {
  const isLost = state === DeliveryState.ACQUIRED
  return {
    firstOffset,
    lastOffset,
    state: isLost ? DeliveryState.AVAILABLE : state,
    deliveryCount,
    owner: NO_OWNER,
    dueMs: isFinal(state) ? NEVER : NOW,
    transition: null,
  }
}

function stateOf({ firstOffset, lastOffset, state, deliveryCount }: InFlightRange): StateBatch {
  return { firstOffset, lastOffset, state, deliveryCount }
}

function withoutMissing(spans: readonly AcquiredSpan[], missing: readonly OffsetSpan[]): Acquired {
  const left = withoutSpans(spans, missing)
  const recordCount = left.reduce((sum, span) => sum + span.lastOffset - span.firstOffset + 1, 0)
  return { spans: left, recordCount }
}
