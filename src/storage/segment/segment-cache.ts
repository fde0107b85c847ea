/** An eviction looks at so many files; what can't be closed now is looked at again later. */
const EVICTION_LOOKS = 16

/** A segment as the cache sees it. */
export interface CachedSegment {
  /** It is deleted: its files close with its last reader. */
  readonly isRetired: boolean
  /** Somebody reads it. */
  readonly isPinned: boolean
  /** The file of its records is open. */
  readonly isOpen: boolean
  /** Closes what it has open, and forgets its indexes. */
  unload(): void
  /** Closes the file of a segment that grows. @returns false when that can't be now */
  closeFile(): boolean
}

/**
 * Bounds the open files. A directory with thousands of closed segments needs neither their files nor
 * their indexes in memory; thousands of idle partitions don't need the files they would append to.
 * Least recently used out first.
 */
export class SegmentCache {
  readonly #maxClosed: number
  readonly #maxGrowing: number
  /** Closed segments that are open as files. In the order of use, oldest first, both. */
  readonly #closed = new Set<CachedSegment>()
  /** The last segments of logs. */
  readonly #growing = new Set<CachedSegment>()
  #newest: CachedSegment | null = null
  readonly #waiting: (() => void)[] = []

  /**
   * @param maxClosed segments that don't grow, with their indexes
   * @param maxGrowing files of segments that grow
   */
  constructor(maxClosed: number, maxGrowing: number) {
    this.#maxClosed = maxClosed
    this.#maxGrowing = maxGrowing
  }

  /** Segments that may have a file open. */
  get openCount(): number {
    return this.#closed.size + this.#growing.size
  }

  /** Call it when a segment that does not grow is used. */
  touch(segment: CachedSegment): void {
    if (segment.isRetired) return
    this.#dropGrowing(segment)
    this.#closed.delete(segment)
    this.#closed.add(segment)
    if (this.#closed.size > this.#maxClosed) this.#evict()
  }

  /** Call it when the last segment of a log is used. */
  touchGrowing(segment: CachedSegment): void {
    if (segment === this.#newest || segment.isRetired) return
    this.#newest = segment
    this.#growing.delete(segment)
    this.#growing.add(segment)
    if (this.#growing.size > this.#maxGrowing) this.#closeFiles(this.#maxGrowing)
  }

  /**
   * Asked before something is appended to a growing segment: may its file be opened? While all
   * others wait for their syncs it may not, and `whenRoom` is called later, once.
   */
  admit(segment: CachedSegment, whenRoom: () => void): boolean {
    if (segment.isOpen || this.#hasRoom()) return true
    this.#waiting.push(whenRoom)
    return false
  }

  /** Call it when a sync has ended: files can be closed that could not before. */
  madeRoom(): void {
    while (this.#waiting.length > 0 && this.#hasRoom()) this.#waiting.shift()?.()
  }

  forget(segment: CachedSegment): void {
    this.#closed.delete(segment)
    this.#dropGrowing(segment)
    this.madeRoom()
  }

  #hasRoom(): boolean {
    if (this.#growing.size < this.#maxGrowing) return true
    this.#closeFiles(this.#maxGrowing - 1)
    return this.#growing.size < this.#maxGrowing
  }

  #dropGrowing(segment: CachedSegment): void {
    this.#growing.delete(segment)
    if (this.#newest === segment) this.#newest = null
  }

  #evict(): void {
    for (const segment of this.#closed) {
      if (segment.isPinned) continue
      segment.unload()
      this.#closed.delete(segment)
      if (this.#closed.size <= this.#maxClosed) return
    }
  }

  #closeFiles(maxCount: number): void {
    let looks = EVICTION_LOOKS
    for (const segment of this.#growing) {
      if (this.#growing.size <= maxCount || looks-- === 0) return
      this.#growing.delete(segment)
      if (!segment.closeFile()) this.#growing.add(segment)
      else if (segment === this.#newest) this.#newest = null
    }
  }
}
