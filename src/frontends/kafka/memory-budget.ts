/** Whoever paused because of the budget. Resumed, it takes its bytes at once. */
export interface BudgetWaiter {
  readonly resumed: () => void
}

/**
 * Request bytes in flight over all connections. Over the limit, connections that have requests in
 * flight stop reading, and large frames wait before they take memory; small ones still come in.
 */
export class MemoryBudget {
  readonly #maxBytes: number
  readonly #waiters = new Set<BudgetWaiter>()
  #usedBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get isExceeded(): boolean {
    return this.#usedBytes > this.#maxBytes
  }

  add(byteCount: number): void {
    this.#usedBytes += byteCount
  }

  remove(byteCount: number): void {
    this.#usedBytes -= byteCount
    for (const waiter of this.#waiters) {
      if (this.isExceeded) return
      this.#waiters.delete(waiter)
      waiter.resumed()
    }
  }

  whenFree(waiter: BudgetWaiter): void {
    this.#waiters.add(waiter)
  }

  forget(waiter: BudgetWaiter): void {
    this.#waiters.delete(waiter)
  }
}
