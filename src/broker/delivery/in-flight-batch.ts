import { DeliveryState, type OffsetSpan } from './delivery-state.ts'

/** A change that is not durable yet, with what it is taken back to. */
export interface Transition extends OffsetSpan {
  readonly fromState: DeliveryState
  readonly fromOwner: string
  readonly maxDeliveryCount: number
  readonly nextDueMs: number
}

export const NO_OWNER = ''
/** `dueMs` of what may be given away, and of what nothing will happen to. */
export const NOW = 0
export const NEVER = Number.POSITIVE_INFINITY

/** Records in a row that share everything. */
export interface InFlightRange {
  firstOffset: number
  lastOffset: number
  state: DeliveryState
  deliveryCount: number
  /** The consumer that has it. */
  owner: string
  /** Acquired: when the lock runs out. Available: not to be given to anybody before. */
  dueMs: number
  transition: Transition | null
}

/** Where a range goes. */
export interface Move {
  readonly state: DeliveryState
  readonly owner: string
  readonly maxDeliveryCount: number
  readonly hasDeadLetters: boolean
}

/**
 * Moves a range on; a record that was delivered often enough is archived instead of available. A
 * range that waits for a change to be durable stays where it is.
 * @returns false when the state can't follow the present one
 */
export function moveRange(range: InFlightRange, move: Move): boolean {
  if (range.transition !== null) return false
  let { state } = move
  if (state === DeliveryState.AVAILABLE && range.deliveryCount >= move.maxDeliveryCount) {
    state = move.hasDeadLetters ? DeliveryState.ARCHIVING : DeliveryState.ARCHIVED
  }
  if (!canFollow(range.state, state)) return false
  if (state === DeliveryState.ACQUIRED) range.deliveryCount++
  range.state = state
  range.owner = move.owner
  return true
}

function canFollow(from: DeliveryState, to: DeliveryState): boolean {
  if (from === DeliveryState.AVAILABLE) return to === DeliveryState.ACQUIRED
  return from !== DeliveryState.ACKNOWLEDGED && from !== DeliveryState.ARCHIVED && from !== to
}

/**
 * As `moveRange`, and it can be taken back with `settleRange`. Until then the lock of the range is
 * what it was.
 * @param nextDueMs of the range when the change holds
 */
export function startTransition(
  range: InFlightRange,
  move: Move,
  nextDueMs: number,
): Transition | null {
  const { firstOffset, lastOffset, state: fromState, owner: fromOwner } = range
  if (!moveRange(range, move)) return null
  const { maxDeliveryCount } = move
  const transition = { firstOffset, lastOffset, fromState, fromOwner, maxDeliveryCount, nextDueMs }
  range.transition = transition
  return transition
}

/** Ends a transition. Taken back, a record whose lock ran out meanwhile is nobody's. */
export function settleRange(range: InFlightRange, isDurable: boolean, nowMs: number): void {
  const { transition } = range
  if (transition === null) return
  range.transition = null
  if (isDurable) {
    range.dueMs = transition.nextDueMs
    return
  }
  if (range.dueMs > nowMs) {
    range.state = transition.fromState
    range.owner = transition.fromOwner
    return
  }
  const isExhausted = range.deliveryCount >= transition.maxDeliveryCount
  range.state = isExhausted ? DeliveryState.ARCHIVED : DeliveryState.AVAILABLE
  range.owner = NO_OWNER
  range.dueMs = isExhausted ? NEVER : NOW
}

/**
 * Records that were acquired together, as ranges that fill it without holes. As long as nobody took
 * it apart, it is one range and is delivered again as a whole.
 */
export class InFlightBatch implements OffsetSpan {
  readonly firstOffset: number
  readonly lastOffset: number
  #ranges: InFlightRange[]
  #isSplit = false

  constructor(range: InFlightRange) {
    this.firstOffset = range.firstOffset
    this.lastOffset = range.lastOffset
    this.#ranges = [range]
  }

  get ranges(): readonly InFlightRange[] {
    return this.#ranges
  }

  get recordCount(): number {
    return this.lastOffset - this.firstOffset + 1
  }

  /** The one range of a batch that nobody took apart; null when somebody did. */
  get whole(): InFlightRange | null {
    return this.#isSplit ? null : (this.#ranges[0] as InFlightRange)
  }

  isWithin(firstOffset: number, lastOffset: number): boolean {
    return this.firstOffset >= firstOffset && this.lastOffset <= lastOffset
  }

  /** From now on each of its records is on its own. */
  split(): void {
    this.#isSplit = true
  }

  rangeAt(offset: number): InFlightRange | undefined {
    const index = this.#indexOf(offset)
    const range = this.#ranges[index]
    return range !== undefined && range.lastOffset >= offset ? range : undefined
  }

  /** Ranges between two offsets; those that stick out are cut there. */
  cut(firstOffset: number, lastOffset: number): InFlightRange[] {
    const from = Math.max(firstOffset, this.firstOffset)
    const to = Math.min(lastOffset, this.lastOffset)
    if (from > to) return []
    this.#cutBefore(from)
    this.#cutBefore(to + 1)
    return this.#ranges.slice(this.#indexOf(from), this.#indexOf(to) + 1)
  }

  /** Puts neighbours together that are the same again. */
  join(): void {
    const joined: InFlightRange[] = []
    for (const range of this.#ranges) {
      const last = joined.at(-1)
      if (last !== undefined && isSame(last, range)) last.lastOffset = range.lastOffset
      else joined.push(range)
    }
    this.#ranges = joined
  }

  #cutBefore(offset: number): void {
    if (offset <= this.firstOffset || offset > this.lastOffset) return
    const index = this.#indexOf(offset)
    const range = this.#ranges[index] as InFlightRange
    if (range.firstOffset === offset) return
    const tail = { ...range, firstOffset: offset }
    range.lastOffset = offset - 1
    this.#ranges.splice(index + 1, 0, tail)
  }

  /** Of the range that holds the offset. */
  #indexOf(offset: number): number {
    let low = 0
    let high = this.#ranges.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#ranges[middle] as InFlightRange).firstOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

function isSame(a: InFlightRange, b: InFlightRange): boolean {
  return (
    a.state === b.state &&
    a.deliveryCount === b.deliveryCount &&
    a.owner === b.owner &&
    a.dueMs === b.dueMs &&
    a.transition === b.transition
  )
}
