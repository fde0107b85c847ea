import type { Lease } from '../../base/lease.ts'

/** A batch of a log that is still in memory, as a held view of the request it came in. */
export interface TailBatch {
  readonly buffer: Buffer
  readonly lease: Lease
  readonly baseOffset: number
  readonly lastOffset: number
  readonly owner: LogTail
  /** Bytes written to the log since it was opened, before this batch. */
  readonly position: number
}

/**
 * More are not kept, however tiny: their objects would take more than their bytes, and at full load
 * outlive the space of new objects, which costs the collector far more than a read of the file.
 */
const MAX_BATCH_COUNT = 2048

/**
 * The newest batches of all logs, for consumers that keep up. One budget for all logs counts the
 * memory that is really held: a whole frame for a small batch in it, but once for all its batches.
 * The oldest batch goes first, whichever log it is of, so frames become free as they came.
 */
export class TailCache {
  readonly #maxBytes: number
  readonly #holdCounts = new Map<Lease, number>()
  /** A queue: what is before `#first` is gone. */
  #batches: (TailBatch | undefined)[] = []
  #first = 0
  #heldBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes of memory the cache keeps alive. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  get batchCount(): number {
    return this.#batches.length - this.#first
  }

  /** Takes over the caller's hold on the lease. */
  add(batch: TailBatch): void {
    if (this.#maxBytes === 0) {
      batch.lease.release()
      return
    }
    this.#hold(batch)
    this.#batches.push(batch)
    batch.owner.push(batch)
    while (this.#isFull) this.#evictOldest()
  }

  get #isFull(): boolean {
    return this.#heldBytes > this.#maxBytes || this.batchCount > MAX_BATCH_COUNT
  }

  /** Lets go of the batches of a log that end below an offset; of all of them by default. */
  drop(owner: LogTail, endOffset = Number.POSITIVE_INFINITY): void {
    const kept: TailBatch[] = []
    for (let at = this.#first; at < this.#batches.length; at++) {
      const batch = this.#batches[at] as TailBatch
      if (batch.owner === owner && batch.lastOffset < endOffset) {
        owner.shift()
        this.#letGo(batch)
      } else kept.push(batch)
    }
    this.#batches = kept
    this.#first = 0
  }

  #evictOldest(): void {
    const batch = this.#batches[this.#first] as TailBatch
    this.#batches[this.#first++] = undefined
    // The queue moves down in large steps, so that a step costs nothing per batch.
    if (this.#first >= 1024 && this.#first * 2 > this.#batches.length) {
      this.#batches.splice(0, this.#first)
      this.#first = 0
    }
    batch.owner.shift()
    this.#letGo(batch)
  }

  #hold({ lease, buffer }: TailBatch): void {
    if (lease.heldBytes === 0) {
      this.#heldBytes += buffer.byteLength
      return
    }
    const count = this.#holdCounts.get(lease) ?? 0
    this.#holdCounts.set(lease, count + 1)
    if (count === 0) this.#heldBytes += lease.heldBytes
  }

  #letGo({ lease, buffer }: TailBatch): void {
    if (lease.heldBytes === 0) {
      this.#heldBytes -= buffer.byteLength
    } else {
      const count = this.#holdCounts.get(lease) ?? 0
      if (count > 1) {
        this.#holdCounts.set(lease, count - 1)
      } else {
        this.#holdCounts.delete(lease)
        this.#heldBytes -= lease.heldBytes
      }
    }
    lease.release()
  }
}

/** The part of the cache that is one log's: consecutive batches up to its end. */
export class LogTail {
  #batches: (TailBatch | undefined)[] = []
  #first = 0

  /** -1 when nothing is in memory. */
  get firstOffset(): number {
    return this.#batches[this.#first]?.baseOffset ?? -1
  }

  get batchCount(): number {
    return this.#batches.length - this.#first
  }

  /** Index (for `at`) of the batch that holds `offset`; the tail begins at or before it. */
  indexOf(offset: number): number {
    let low = this.#first
    let high = this.#batches.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#batches[middle] as TailBatch).lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  at(index: number): TailBatch | undefined {
    return this.#batches[index]
  }

  push(batch: TailBatch): void {
    this.#batches.push(batch)
  }

  shift(): void {
    this.#batches[this.#first++] = undefined
    if (this.#first >= 256 && this.#first * 2 > this.#batches.length) {
      this.#batches.splice(0, this.#first)
      this.#first = 0
    }
  }
}
