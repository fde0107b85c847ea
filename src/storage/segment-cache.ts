import type { LogSegment } from './log-segment.ts'

/**
 * Keeps a bounded number of closed segments open, least recently used out first: a directory with
 * thousands of segments needs neither their files nor their indexes in memory.
 */
export class SegmentCache {
  readonly #maxCount: number
  /** In the order of use, oldest first. */
  readonly #open = new Set<LogSegment>()

  constructor(maxCount: number) {
    this.#maxCount = maxCount
  }

  /** Call it when a segment that does not grow is used. */
  touch(segment: LogSegment): void {
    if (segment.isRetired) return
    this.#open.delete(segment)
    this.#open.add(segment)
    if (this.#open.size > this.#maxCount) this.#evict()
  }

  forget(segment: LogSegment): void {
    this.#open.delete(segment)
  }

  #evict(): void {
    for (const segment of this.#open) {
      if (segment.isPinned) continue
      segment.unload()
      this.#open.delete(segment)
      if (this.#open.size <= this.#maxCount) return
    }
  }
}
