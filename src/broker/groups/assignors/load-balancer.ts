import { assert } from '../../../base/assert.ts'

/**
 * Walks over the members of one topic from the least loaded up and from the most loaded down, for a
 * caller that gives each least loaded one a partition, and takes one from each most loaded one. It
 * counts what the caller does by itself: `loads` is only read when the walk comes to a new level.
 */
export class LoadBalancer {
  /** Indices of members, least loaded first. */
  readonly #sorted: number[]
  readonly #loads: readonly number[]
  #leastEnd = 0
  #leastLoad: number
  #nextLeast = 0
  #mostStart: number
  #mostEnd: number
  #mostLoad: number
  #nextMost: number
  /** Difference of the loads at the start. */
  readonly imbalance: number

  constructor(members: readonly number[], loads: readonly number[]) {
    assert(members.length > 0, 'a topic that is balanced has subscribers')
    this.#loads = loads
    this.#sorted = [...members].sort((a, b) => (loads[a] ?? 0) - (loads[b] ?? 0) || a - b)
    const least = this.#loadAt(0)
    const most = this.#loadAt(this.#sorted.length - 1)
    this.imbalance = most - least
    this.#leastLoad = least - 1
    this.#mostStart = this.#sorted.length
    this.#mostEnd = this.#sorted.length
    this.#mostLoad = most + 1
    this.#nextMost = this.#sorted.length - 1
  }

  /** True when moving one more partition would not make the loads more even. */
  get isBalanced(): boolean {
    return this.#mostLoad - this.#leastLoad <= 1
  }

  /** The caller gives this member a partition. */
  nextLeastLoaded(): number {
    if (this.#nextLeast >= this.#leastEnd) {
      this.#leastLoad++
      while (
        this.#leastEnd < this.#sorted.length &&
        this.#loadAt(this.#leastEnd) === this.#leastLoad
      ) {
        this.#leastEnd++
      }
      this.#nextLeast = 0
    }
    const member = this.#sorted[this.#nextLeast++]
    assert(member !== undefined, 'there is always a least loaded member')
    return member
  }

  /** The caller takes a partition from this member, or excludes it. */
  nextMostLoaded(): number | undefined {
    if (this.#nextMost < this.#mostStart) {
      const isUsedUp = this.#mostEnd <= this.#mostStart && this.#mostStart > 0
      this.#mostLoad = isUsedUp ? this.#loadAt(this.#mostStart - 1) : this.#mostLoad - 1
      while (this.#mostStart > 0 && this.#loadAt(this.#mostStart - 1) === this.#mostLoad) {
        this.#mostStart--
      }
      this.#nextMost = this.#mostEnd - 1
    }
    return this.#nextMost < 0 ? undefined : this.#sorted[this.#nextMost--]
  }

  /** The member that `nextMostLoaded` gave has nothing that can be taken. */
  excludeMostLoaded(): void {
    const at = this.#nextMost + 1
    const last = this.#mostEnd - 1
    const excluded = this.#sorted[at]
    const other = this.#sorted[last]
    assert(excluded !== undefined && other !== undefined, 'an excluded member was just given')
    this.#sorted[at] = other
    this.#sorted[last] = excluded
    this.#mostEnd--
  }

  #loadAt(index: number): number {
    return this.#loads[this.#sorted[index] ?? -1] ?? 0
  }
}
