import { assert } from '../../base/assert.ts'
import type { LogSegment } from './log-segment.ts'
import type { SegmentCache } from './segment-cache.ts'

/** The segments of a log, in order; there is always at least one, and the last one grows. */
export class LogSegments {
  readonly #cache: SegmentCache
  readonly #segments: LogSegment[]

  constructor(segments: readonly LogSegment[], cache: SegmentCache) {
    assert(segments.length > 0, 'a log has a segment')
    this.#cache = cache
    this.#segments = [...segments]
  }

  get all(): readonly LogSegment[] {
    return this.#segments
  }

  get active(): LogSegment {
    return this.#segments.at(-1) as LogSegment
  }

  get first(): LogSegment {
    return this.#segments[0] as LogSegment
  }

  get sizeBytes(): number {
    let total = 0
    for (const segment of this.#segments) total += segment.sizeBytes
    return total
  }

  /** Index of the segment where `offset` is or would be; 0 for an offset before all. */
  indexOf(offset: number): number {
    let low = 0
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#segments[middle] as LogSegment).baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  at(index: number): LogSegment | undefined {
    return this.#segments[index]
  }

  /** Call it before using the file or the indexes of a segment: it stays open for a while. */
  use(segment: LogSegment): LogSegment {
    if (segment === this.active) this.#cache.touchGrowing(segment)
    else this.#cache.touch(segment)
    return segment
  }

  add(segment: LogSegment): void {
    assert(segment.baseOffset > this.active.baseOffset, 'a new segment begins after the last one')
    this.#segments.push(segment)
  }

  /** All of these are still in the log, one after the other. */
  has(group: readonly LogSegment[]): boolean {
    const first = this.#segments.indexOf(group[0] as LogSegment)
    return first >= 0 && group.every((segment, index) => this.#segments[first + index] === segment)
  }

  /** Puts a segment in the place of some that were made into it. */
  replace(group: readonly LogSegment[], compacted: LogSegment): void {
    assert(this.has(group), 'what was compacted is in the log')
    assert(!group.includes(this.active), 'the last segment is not compacted')
    const first = this.#segments.indexOf(group[0] as LogSegment)
    this.#segments.splice(first, group.length, compacted)
  }

  /** Takes the oldest ones out; the caller removes their files. */
  removeFirst(count: number): LogSegment[] {
    assert(count < this.#segments.length, 'the last segment stays')
    return this.#segments.splice(0, count)
  }
}
