import type { LogSlice } from '../../../ports/partition-log.ts'
import { lastOffsetOf } from '../../../records/record-batch.ts'
import { batchPositions, recordsOf } from '../../../records/records-iterator.ts'
import type { Partition } from '../../topics/partition.ts'
import type { RecordMapping } from './record-mapping.ts'
import { wholeOf } from './stream-log.ts'
import type { MessagesRead, ReadLimits, StoredMessage } from './stream-reader.ts'

const READ_BYTES = 256 * 1024
const LEAST_READ_BYTES = 8 * 1024
const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024

/** Reads messages of a stream, in any order; those that follow each other cost least. */
export class MessageReader {
  readonly #partition: Partition
  readonly #mapping: RecordMapping

  constructor(partition: Partition, mapping: RecordMapping) {
    this.#partition = partition
    this.#mapping = mapping
  }

  /**
   * @param expectedBytes what the messages are likely to have in the log
   * @param limits of the log that is read; what comes first of the messages is answered, at least one
   */
  read(
    sequences: readonly number[],
    expectedBytes: number,
    limits: ReadLimits,
    done: MessagesRead,
  ): void {
    new OneRead(this.#partition, this.#mapping, sequences, expectedBytes, limits, done).start()
  }
}

class OneRead {
  readonly #partition: Partition
  readonly #mapping: RecordMapping
  readonly #sequences: readonly number[]
  #leftBytes: number
  #expectedBytes: number
  readonly #isBorrowed: boolean
  readonly #done: MessagesRead
  readonly #found: (StoredMessage | null)[] = []
  /** What borrowed messages are in. */
  readonly #lent: LogSlice[] = []

  constructor(
    partition: Partition,
    mapping: RecordMapping,
    sequences: readonly number[],
    expectedBytes: number,
    { maxBytes = Number.POSITIVE_INFINITY, isBorrowed = false }: ReadLimits,
    done: MessagesRead,
  ) {
    this.#partition = partition
    this.#mapping = mapping
    this.#sequences = sequences
    this.#expectedBytes = expectedBytes
    this.#leftBytes = maxBytes
    this.#isBorrowed = isBorrowed
    this.#done = done
  }

  start(): void {
    this.#readOn()
  }

  #readOn(): void {
    const { log } = this.#partition
    while (this.#found.length < this.#sequences.length && this.#leftBytes > 0) {
      const offset = this.#mapping.offsetOf(this.#sequences[this.#found.length] as number)
      if (offset < log.logStartOffset || offset >= log.highWatermark || log.isFailed) {
        this.#found.push(null)
        continue
      }
      const request = {
        offset,
        endOffset: log.highWatermark,
        maxBytes: this.#isLast ? 1 : this.#portionBytes,
        atLeastOne: true,
        includeAborted: false,
      }
      const slice = log.read(request, (error, later) => {
        if (error !== null) this.#end(error)
        else if (later !== null && this.#take(later)) this.#readOn()
      })
      if (slice === null || !this.#take(slice)) return
    }
    this.#end(null)
  }

  #end(error: Error | null): void {
    try {
      this.#done(error, error === null ? this.#found : [])
    } finally {
      for (const slice of this.#lent) slice.release()
    }
  }

  /** Reading more than is wanted costs as much for each byte; reading too little costs a turn. */
  get #portionBytes(): number {
    const expected = Math.max(LEAST_READ_BYTES, this.#expectedBytes)
    return Math.min(READ_BYTES, this.#leftBytes, expected)
  }

  get #isLast(): boolean {
    return this.#found.length === this.#sequences.length - 1
  }

  /** @returns false when the read ended with an error, which was told */
  #take(slice: LogSlice): boolean {
    if (this.#isBorrowed) this.#lent.push(slice)
    try {
      const before = this.#found.length
      const bytes = wholeOf(slice)
      this.#leftBytes -= bytes.byteLength
      this.#expectedBytes -= bytes.byteLength
      for (const position of batchPositions(bytes)) this.#takeBatch(bytes, position)
      // The record was compacted away.
      if (this.#found.length === before) this.#found.push(null)
      return true
    } catch (error) {
      this.#end(error as Error)
      return false
    } finally {
      if (!this.#isBorrowed) slice.release()
    }
  }

  #takeBatch(bytes: Buffer, position: number): void {
    const last = lastOffsetOf(bytes, position)
    if (this.#wanted > last) return
    // A batch may hold many more messages than are read at a time.
    for (const record of recordsOf(bytes, position, MAX_DECOMPRESSED_BYTES, this.#wanted)) {
      while (this.#wanted < record.offset && this.#isAscending) this.#found.push(null)
      if (record.offset !== this.#wanted) continue
      this.#found.push(this.#mapping.storedMessageOf(record, this.#isBorrowed))
      if (this.#wanted > last) return
    }
  }

  /** The offset that is looked for. */
  get #wanted(): number {
    const sequence = this.#sequences[this.#found.length]
    return sequence === undefined ? Number.POSITIVE_INFINITY : this.#mapping.offsetOf(sequence)
  }

  /** What comes before a record of this slice can be said to be gone only if it was asked for in order. */
  get #isAscending(): boolean {
    const before = this.#sequences[this.#found.length - 1] ?? 0
    return before < (this.#sequences[this.#found.length] ?? 0) && this.#found.length > 0
  }
}
