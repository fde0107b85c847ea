/** Reads of files under way, of all logs. A thread of the pool is busy with each of them. */
const LANE_COUNT = 2
/** Those that have begun are taken out of the array so many at a time. */
const MIN_SHIFT_COUNT = 256

/**
 * Lets few reads of files go on at once. Those of records that no memory holds take long, and with
 * many consumers of them no thread would be left for the syncs that producers wait for.
 */
export class ReadLanes {
  #busyCount = 0
  /** As many as there are reads under way: each has its buffer already. */
  #waiting: (() => void)[] = []
  #firstWaiting = 0

  /** Begins the read now or when there is a lane; it must call `leave` when it has ended. */
  enter(begin: () => void): void {
    if (this.#busyCount === LANE_COUNT) {
      this.#waiting.push(begin)
      return
    }
    this.#busyCount++
    begin()
  }

  leave(): void {
    const next = this.#waiting[this.#firstWaiting]
    if (next === undefined) {
      this.#busyCount--
      return
    }
    this.#firstWaiting++
    if (this.#firstWaiting >= MIN_SHIFT_COUNT || this.#firstWaiting === this.#waiting.length) {
      this.#waiting.splice(0, this.#firstWaiting)
      this.#firstWaiting = 0
    }
    next()
  }
}
