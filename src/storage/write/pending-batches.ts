import type { ProducerEntrySnapshot } from '../producers/producer-entry.ts'
import type { PendingBatch } from './pending-batch.ts'
import type { WritePacer } from './write-pacer.ts'

/** Batches of a log that have their offsets and wait for a write, oldest first. */
export class PendingBatches {
  readonly #pacer: WritePacer
  #batches: PendingBatch[] = []
  #first = 0
  #byteCount = 0

  constructor(pacer: WritePacer) {
    this.#pacer = pacer
  }

  get isEmpty(): boolean {
    return this.#first === this.#batches.length
  }

  get length(): number {
    return this.#batches.length - this.#first
  }

  get byteCount(): number {
    return this.#byteCount
  }

  /** Takes a hold of its own on the memory of the batch. */
  add(batch: PendingBatch): void {
    batch.lease.retain()
    this.#batches.push(batch)
    this.#count(batch.buffer.byteLength)
  }

  at(index: number): PendingBatch {
    return this.#batches[this.#first + index] as PendingBatch
  }

  /** What one write of the first `count` batches writes. */
  buffers(count: number): Buffer[] {
    const buffers: Buffer[] = []
    for (let index = 0; index < count; index++) buffers.push(this.at(index).buffer)
    return buffers
  }

  /** The first one is written: its hold goes to the caller. */
  shift(): PendingBatch {
    const batch = this.at(0)
    this.#first++
    if (this.isEmpty) {
      this.#batches.length = 0
      this.#first = 0
    }
    this.#count(-batch.buffer.byteLength)
    return batch
  }

  /** Gives all up, the newest first. */
  discard(undo: (known: ProducerEntrySnapshot) => void): void {
    const batches = this.#batches.slice(this.#first)
    this.#batches = []
    this.#first = 0
    this.#count(-this.#byteCount)
    for (const batch of batches.toReversed()) {
      if (batch.undo !== null) undo(batch.undo)
      batch.lease.release()
    }
  }

  /** What was known of their producers before the first of them. */
  producersBefore(): Map<number, ProducerEntrySnapshot> {
    const before = new Map<number, ProducerEntrySnapshot>()
    for (let index = this.length - 1; index >= 0; index--) {
      const { undo } = this.at(index)
      if (undo !== null) before.set(undo.producerId, undo)
    }
    return before
  }

  #count(byteCount: number): void {
    this.#byteCount += byteCount
    this.#pacer.unwrittenBytes += byteCount
  }
}
