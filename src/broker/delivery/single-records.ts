import { acquire } from './acquire.ts'
import { type DeliveryLimits, DeliveryState, type OffsetSpan } from './delivery-state.ts'
import { InFlightBatch, type InFlightRange, NEVER, NO_OWNER, NOW } from './in-flight-batch.ts'
import { isAvailable, type WindowState } from './window-state.ts'

/**
 * Steps for consumers that name single records and are not asked who they are: whoever knows where
 * the answer goes may give it, also when the lock ran out meanwhile, as in JetStream. They hold at once.
 */

/** A record that is not finished. */
export interface OpenRecord {
  readonly state: DeliveryState
  readonly deliveryCount: number
}

export function openRecord(state: WindowState, offset: number): OpenRecord | null {
  if (offset < state.startOffset) return null
  const range = state.batches.floor(offset)?.rangeAt(offset)
  return range !== undefined && isOpen(range) ? range : null
}

/**
 * Gives one record to somebody.
 * @returns how often it was delivered by now; 0: it can't be given
 */
export function acquireRecord(
  state: WindowState,
  offset: number,
  owner: string,
  limits: DeliveryLimits,
  nowMs: number,
): number {
  if (isNew(state, offset) && state.inFlightCount < limits.maxInFlightCount) {
    appendRecord(state, offset, owner, nowMs + limits.lockDurationMs(1))
    return 1
  }
  const batches = [{ firstOffset: offset, lastOffset: offset }]
  const just = { isRecordLimit: true, batchSize: 1, maxRecordCount: 1 }
  const { spans } = acquire(state, { owner, fetchOffset: offset, batches, ...just }, limits, nowMs)
  return spans[0]?.deliveryCount ?? 0
}

/** It comes behind all that was given so far, and no hole is before it that anything may be in. */
function isNew(state: WindowState, offset: number): boolean {
  if (state.gapOffset !== null || offset < state.startOffset) return false
  const { last } = state.batches
  return last === undefined ? offset >= state.endOffset : offset > last.lastOffset
}

function appendRecord(state: WindowState, offset: number, owner: string, dueMs: number): void {
  const range: InFlightRange = {
    firstOffset: offset,
    lastOffset: offset,
    state: DeliveryState.ACQUIRED,
    deliveryCount: 1,
    owner,
    dueMs: NOW,
    transition: null,
  }
  state.setDue(range, dueMs)
  if (state.batches.size === 0) state.startOffset = offset
  state.batches.append(new InFlightBatch(range))
  state.endOffset = Math.max(state.endOffset, offset)
  state.moveGap(offset + 1)
}

/** Ends all records between two offsets that are not finished, whoever has them. */
export function finishRecords(
  state: WindowState,
  { firstOffset, lastOffset }: OffsetSpan,
  as: typeof DeliveryState.ACKNOWLEDGED | typeof DeliveryState.ARCHIVED,
): void {
  const alone = firstOffset === lastOffset ? aloneAt(state, firstOffset) : null
  if (alone !== null) finishRange(alone, as)
  else {
    for (const batch of state.batches.overlapping(firstOffset, lastOffset)) {
      if (!batch.isWithin(firstOffset, lastOffset)) batch.split()
      for (const range of batch.cut(firstOffset, lastOffset)) finishRange(range, as)
      batch.join()
    }
  }
  state.advance()
}

/** The range of a record that was given alone; null when it was given with others, or not at all. */
function aloneAt(state: WindowState, offset: number): InFlightRange | null {
  const batch = state.batches.floor(offset)
  return batch !== undefined && batch.lastOffset === offset && batch.firstOffset === offset
    ? batch.whole
    : null
}

function finishRange(range: InFlightRange, as: InFlightRange['state']): void {
  if (!isOpen(range)) return
  range.state = as
  range.owner = NO_OWNER
  range.dueMs = NEVER
}

/**
 * The record can be given again from `dueMs` on. One that was delivered often enough is archived.
 * @param dueMs 0: at once
 * @returns null when the record is finished, or is not known
 */
export function releaseRecord(
  state: WindowState,
  offset: number,
  dueMs: number,
  maxDeliveryCount: number,
): 'released' | 'exhausted' | null {
  return changeRecord(state, offset, (range) => {
    range.owner = NO_OWNER
    if (range.deliveryCount >= maxDeliveryCount) {
      range.state = DeliveryState.ARCHIVED
      range.dueMs = NEVER
      return 'exhausted'
    }
    range.state = DeliveryState.AVAILABLE
    state.setDue(range, dueMs)
    if (dueMs === NOW) state.mustSearch = true
    return 'released'
  })
}

/** The lock of a record runs out at `dueMs`, also if it ran out before and nobody got it since. */
export function renewRecord(
  state: WindowState,
  offset: number,
  owner: string,
  dueMs: number,
): boolean {
  const renewed = changeRecord(state, offset, (range) => {
    range.state = DeliveryState.ACQUIRED
    range.owner = owner
    state.setDue(range, dueMs)
    return true
  })
  return renewed ?? false
}

/** Offsets that can be given again, lowest first. */
export function availableRecords(state: WindowState, nowMs: number, maxCount: number): number[] {
  const found: number[] = []
  if (!state.mustSearch) return found
  for (const batch of state.batches) {
    for (const range of batch.ranges) {
      if (!isAvailable(range, nowMs)) continue
      const from = Math.max(range.firstOffset, state.startOffset)
      for (let offset = from; offset <= range.lastOffset; offset++) {
        if (found.length === maxCount) return found
        found.push(offset)
      }
    }
  }
  if (found.length === 0) state.mustSearch = false
  return found
}

function changeRecord<T>(
  state: WindowState,
  offset: number,
  change: (range: InFlightRange) => T,
): T | null {
  if (openRecord(state, offset) === null) return null
  const [batch] = state.batches.overlapping(offset, offset)
  if (batch === undefined) return null
  if (batch.recordCount > 1) batch.split()
  const [range] = batch.cut(offset, offset)
  const changed = range === undefined ? null : change(range)
  batch.join()
  state.advance()
  return changed
}

function isOpen({ state }: InFlightRange): boolean {
  return state === DeliveryState.AVAILABLE || state === DeliveryState.ACQUIRED
}
