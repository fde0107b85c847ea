import type { EarlierBatch } from '../../records/internal/producer-snapshot.ts'
import { incrementSequence } from '../../records/record-batch.ts'

/** Duplicates are recognised among so many newest batches of a producer (KIP-98). */
const WINDOW_BATCHES = 5

/** Fields of a batch in the window. */
const LAST_SEQUENCE = 0
const LAST_OFFSET = 1
const OFFSET_DELTA = 2
const TIMESTAMP = 3
const FIELD_COUNT = 4

/** A copy of an entry, to go back to when its append fails. Reused. */
export class ProducerEntrySnapshot {
  producerId = -1
  existed = false
  epoch = -1
  coordinatorEpoch = -1
  lastTimestampMs = -1
  transactionFirstOffset = -1
  count = 0
  readonly window = new Float64Array(WINDOW_BATCHES * FIELD_COUNT)
}

/** What a partition knows of one producer. Source: ProducerStateEntry, Kafka 4.4. */
export class ProducerEntry {
  readonly producerId: number
  epoch = -1
  coordinatorEpoch = -1
  lastTimestampMs = -1
  /** Where its open transaction begins, -1: none. */
  transactionFirstOffset = -1
  #count = 0
  /** Newest batch last. */
  readonly #window = new Float64Array(WINDOW_BATCHES * FIELD_COUNT)

  constructor(producerId: number) {
    this.producerId = producerId
  }

  get batchCount(): number {
    return this.#count
  }

  /** -1 when no batch of this epoch is known. */
  get lastSequence(): number {
    return this.#count === 0 ? -1 : this.#field(this.#count - 1, LAST_SEQUENCE)
  }

  get lastOffset(): number {
    return this.#count === 0 ? -1 : this.#field(this.#count - 1, LAST_OFFSET)
  }

  get lastOffsetDelta(): number {
    return this.#count === 0 ? 0 : this.#field(this.#count - 1, OFFSET_DELTA)
  }

  /** Place in the window of the batch with exactly these sequences, -1: none. */
  find(firstSequence: number, lastSequence: number): number {
    for (let index = this.#count - 1; index >= 0; index--) {
      const last = this.#field(index, LAST_SEQUENCE)
      if (last !== lastSequence) continue
      const first = incrementSequence(last, -this.#field(index, OFFSET_DELTA))
      if (first === firstSequence) return index
    }
    return -1
  }

  lastOffsetAt(index: number): number {
    return this.#field(index, LAST_OFFSET)
  }

  firstOffsetAt(index: number): number {
    return this.#field(index, LAST_OFFSET) - this.#field(index, OFFSET_DELTA)
  }

  timestampAt(index: number): number {
    return this.#field(index, TIMESTAMP)
  }

  /** What the window has before the newest batch, oldest first. */
  earlierBatches(): EarlierBatch[] {
    return Array.from({ length: Math.max(0, this.#count - 1) }, (_, index) => ({
      lastSequence: this.#field(index, LAST_SEQUENCE),
      lastOffset: this.#field(index, LAST_OFFSET),
      offsetDelta: this.#field(index, OFFSET_DELTA),
      timestamp: this.#field(index, TIMESTAMP),
    }))
  }

  add(lastSequence: number, lastOffset: number, offsetDelta: number, timestampMs: number): void {
    if (this.#count === WINDOW_BATCHES) this.#window.copyWithin(0, FIELD_COUNT)
    else this.#count++
    const at = (this.#count - 1) * FIELD_COUNT
    this.#window[at + LAST_SEQUENCE] = lastSequence
    this.#window[at + LAST_OFFSET] = lastOffset
    this.#window[at + OFFSET_DELTA] = offsetDelta
    this.#window[at + TIMESTAMP] = timestampMs
    this.lastTimestampMs = timestampMs
  }

  /** A new epoch begins with an empty window. */
  startEpoch(epoch: number): void {
    this.epoch = epoch
    this.#count = 0
  }

  saveTo(snapshot: ProducerEntrySnapshot): void {
    snapshot.epoch = this.epoch
    snapshot.coordinatorEpoch = this.coordinatorEpoch
    snapshot.lastTimestampMs = this.lastTimestampMs
    snapshot.transactionFirstOffset = this.transactionFirstOffset
    snapshot.count = this.#count
    snapshot.window.set(this.#window)
  }

  restoreFrom(snapshot: ProducerEntrySnapshot): void {
    this.epoch = snapshot.epoch
    this.coordinatorEpoch = snapshot.coordinatorEpoch
    this.lastTimestampMs = snapshot.lastTimestampMs
    this.transactionFirstOffset = snapshot.transactionFirstOffset
    this.#count = snapshot.count
    this.#window.set(snapshot.window)
  }

  #field(index: number, field: number): number {
    return this.#window[index * FIELD_COUNT + field] as number
  }
}
