import type { ErrorCode } from '../../base/error-code.ts'
import type { AppendWaiter } from '../../ports/partition-log.ts'

/** Fewer are not worth a look for those that are gone. */
const MIN_SWEEP_COUNT = 1024

/**
 * Appends whose callers wait until an offset is passed, in the order they came. A waiter is told
 * together with or after all before it. Parallel arrays: a wait makes no object. Waiters that are
 * gone, because a disk hangs longer than they wait, take no more room than those that are not.
 */
export class WaiterQueue {
  #waiters: (AppendWaiter | undefined)[] = []
  #slots: number[] = []
  #lastOffsets: number[] = []
  #first = 0
  /** At this length it is time to look for waiters that are gone. */
  #sweepCount = MIN_SWEEP_COUNT

  get isEmpty(): boolean {
    return this.#first === this.#waiters.length
  }

  get length(): number {
    return this.#waiters.length - this.#first
  }

  push(waiter: AppendWaiter, slot: number, lastOffset: number): void {
    if (this.length >= this.#sweepCount) this.#sweep()
    this.#waiters.push(waiter)
    this.#slots.push(slot)
    this.#lastOffsets.push(lastOffset)
  }

  /** Tells all whose last offset is below `endOffset`, up to the first that must wait. */
  tellBelow(endOffset: number, errorCode: ErrorCode): void {
    while (this.#first < this.#waiters.length) {
      if ((this.#lastOffsets[this.#first] as number) >= endOffset) break
      this.#tellFirst(errorCode)
    }
    this.#shrink()
  }

  /** Tells those at or above an offset that it will not come to pass; the others stay. */
  refuseFrom(offset: number, errorCode: ErrorCode): void {
    const { waiters, slots, lastOffsets } = this.#takeAll()
    for (let i = 0; i < waiters.length; i++) {
      const waiter = waiters[i] as AppendWaiter
      const slot = slots[i] as number
      const lastOffset = lastOffsets[i] as number
      if (lastOffset < offset) this.push(waiter, slot, lastOffset)
      else waiter.appendDone(slot, errorCode)
    }
  }

  /** Looks at all only when there are twice as many as stayed the last time. */
  #sweep(): void {
    const { waiters, slots, lastOffsets } = this.#takeAll()
    for (const [i, waiter] of waiters.entries()) {
      if (waiter === undefined || waiter.isGone === true) continue
      this.#waiters.push(waiter)
      this.#slots.push(slots[i] as number)
      this.#lastOffsets.push(lastOffsets[i] as number)
    }
    this.#sweepCount = Math.max(MIN_SWEEP_COUNT, 2 * this.#waiters.length)
  }

  #tellFirst(errorCode: ErrorCode): void {
    const at = this.#first++
    const waiter = this.#waiters[at] as AppendWaiter
    this.#waiters[at] = undefined
    waiter.appendDone(this.#slots[at] as number, errorCode)
  }

  #shrink(): void {
    if (this.#first === 0) return
    // The arrays keep their memory; a log that never idles is cut down by `splice` below.
    if (this.isEmpty) {
      this.#waiters.length = 0
      this.#slots.length = 0
      this.#lastOffsets.length = 0
    } else if (this.#first > 1024) {
      this.#waiters.splice(0, this.#first)
      this.#slots.splice(0, this.#first)
      this.#lastOffsets.splice(0, this.#first)
    } else return
    this.#first = 0
  }

  #takeAll() {
    const waiters = this.#waiters.slice(this.#first)
    const slots = this.#slots.slice(this.#first)
    const lastOffsets = this.#lastOffsets.slice(this.#first)
    this.#waiters = []
    this.#slots = []
    this.#lastOffsets = []
    this.#first = 0
    return { waiters, slots, lastOffsets }
  }
}
