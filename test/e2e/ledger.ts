import assert from 'node:assert/strict'

/** A group member as the test sees it, whatever client it is. */
export interface Member {
  /** Partitions it has now; it tells the ledger when they change. */
  readonly assigned: () => readonly number[]
  /** Leaves the group. */
  readonly stop: () => Promise<void>
}

/** How often a group may read a record while members come and go. */
export type Delivery = 'once' | 'at least once'

/**
 * What a group read. Each partition holds the numbers 0, 1, 2…, so the next number a partition may
 * bring is known: one again, one left out or two in the wrong order is an error at once. With
 * `at least once` one that was read before may come again, and nothing else is forgiven.
 */
export class Ledger {
  readonly #next: number[]
  readonly #delivery: Delivery
  readonly #waiters = new Set<() => void>()
  readonly #problems: string[] = []

  constructor(partitionCount: number, delivery: Delivery = 'once') {
    this.#next = new Array(partitionCount).fill(0)
    this.#delivery = delivery
  }

  take(partition: number, number: number): void {
    const expected = this.#next[partition] ?? 0
    if (number < expected && this.#delivery === 'at least once') return
    if (number !== expected) {
      this.#problems.push(`partition ${partition} brought ${number} instead of ${expected}`)
    }
    this.#next[partition] = number + 1
    this.changed()
  }

  /** Has what is waited for looked at again. */
  changed(): void {
    for (const wake of this.#waiters) wake()
  }

  /** Waits until each partition brought so many; the time limit of the runner ends it. */
  async reach(count: number): Promise<void> {
    await this.#until(() => this.#next.every((next) => next >= count))
    assert.deepEqual(
      this.#next,
      this.#next.map(() => count),
    )
  }

  /** Waits until the members share all partitions, and each has some. */
  async shared(members: readonly Member[]): Promise<void> {
    const all = this.#next.map((_, partition) => partition)
    await this.#until(() => {
      const shares = members.map(({ assigned }) => assigned())
      const together = shares.flat().toSorted((a, b) => a - b)
      return shares.every(({ length }) => length > 0) && String(together) === String(all)
    })
  }

  async #until(isMet: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const [problem] = this.#problems
        if (problem === undefined && !isMet()) return
        this.#waiters.delete(look)
        if (problem === undefined) resolve()
        else reject(new Error(problem))
      }
      this.#waiters.add(look)
      look()
    })
  }
}
