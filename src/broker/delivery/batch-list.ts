import type { InFlightBatch } from './in-flight-batch.ts'

/** Batches in the order of their offsets. They do not overlap; there may be holes between them. */
export class BatchList {
  readonly #batches: InFlightBatch[] = []

  get size(): number {
    return this.#batches.length
  }

  get first(): InFlightBatch | undefined {
    return this.#batches[0]
  }

  get second(): InFlightBatch | undefined {
    return this.#batches[1]
  }

  get last(): InFlightBatch | undefined {
    return this.#batches.at(-1)
  }

  [Symbol.iterator](): IterableIterator<InFlightBatch> {
    return this.#batches.values()
  }

  /** The last one that does not begin after the offset. */
  floor(offset: number): InFlightBatch | undefined {
    return this.#batches[this.#floorIndex(offset)]
  }

  /** The first one that begins after the offset. */
  higher(offset: number): InFlightBatch | undefined {
    return this.#batches[this.#floorIndex(offset) + 1]
  }

  /** Those that begin between the offsets. */
  between(firstOffset: number, lastOffset: number): InFlightBatch[] {
    return this.#batches.slice(
      this.#floorIndex(firstOffset - 1) + 1,
      this.#floorIndex(lastOffset) + 1,
    )
  }

  /** Those that hold an offset between the two. */
  overlapping(firstOffset: number, lastOffset: number): InFlightBatch[] {
    const before = this.floor(firstOffset)
    const from =
      before !== undefined && before.lastOffset >= firstOffset ? before.firstOffset : firstOffset
    return this.between(from, lastOffset)
  }

  /** @param batch one that begins behind all others */
  append(batch: InFlightBatch): void {
    this.#batches.push(batch)
  }

  insert(batch: InFlightBatch): void {
    this.#batches.splice(this.#floorIndex(batch.firstOffset) + 1, 0, batch)
  }

  removeFirst(): void {
    this.#batches.shift()
  }

  /** Removes those that end at the offset or before. */
  removeUpTo(lastOffset: number): void {
    let count = 0
    for (const batch of this.#batches) {
      if (batch.lastOffset > lastOffset) break
      count++
    }
    this.#batches.splice(0, count)
  }

  clear(): void {
    this.#batches.length = 0
  }

  #floorIndex(offset: number): number {
    const [first] = this.#batches
    if (first === undefined || offset < first.firstOffset) return -1
    // What was given first is asked for most.
    if (offset <= first.lastOffset) return 0
    let low = 0
    let high = this.#batches.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#batches[middle] as InFlightBatch).firstOffset <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}
