import type { LogSlice } from '../../../ports/partition-log.ts'
import { lastOffsetOf } from '../../../records/record-batch.ts'
import { batchPositions, recordsOf } from '../../../records/records-iterator.ts'
import type { Partition } from '../../topics/partition.ts'
import type { RecordMapping } from './record-mapping.ts'
import { wholeOf } from './stream-log.ts'
import type { MessagesRead, StoredMessage } from './stream-reader.ts'

const READ_BYTES = 256 * 1024
const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024

/** Reads messages of a stream, in any order; those that follow each other cost least. */
export class MessageReader {
  readonly #partition: Partition
  readonly #mapping: RecordMapping

  constructor(partition: Partition, mapping: RecordMapping) {
    this.#partition = partition
    this.#mapping = mapping
  }

  /** @param maxBytes of the log that are read; what comes first of the messages is answered, at least one */
  read(sequences: readonly number[], maxBytes: number, done: MessagesRead): void {
    new OneRead(this.#partition, this.#mapping, sequences, maxBytes, done).start()
  }
}

class OneRead {
  readonly #partition: Partition
  readonly #mapping: RecordMapping
  readonly #sequences: readonly number[]
  #leftBytes: number
  readonly #done: MessagesRead
  readonly #found: (StoredMessage | null)[] = []

  constructor(
    partition: Partition,
    mapping: RecordMapping,
    sequences: readonly number[],
    maxBytes: number,
    done: MessagesRead,
  ) {
    this.#partition = partition
    this.#mapping = mapping
    this.#sequences = sequences
    this.#leftBytes = maxBytes
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
        maxBytes: this.#isLast ? 1 : Math.min(READ_BYTES, this.#leftBytes),
        atLeastOne: true,
        includeAborted: false,
      }
      const slice = log.read(request, (error, later) => {
        if (error !== null) this.#done(error, [])
        else if (later !== null && this.#take(later)) this.#readOn()
      })
      if (slice === null || !this.#take(slice)) return
    }
    this.#done(null, this.#found)
  }

  get #isLast(): boolean {
    return this.#found.length === this.#sequences.length - 1
  }

  /** @returns false when the read ended with an error, which was told */
  #take(slice: LogSlice): boolean {
    try {
      const before = this.#found.length
      const bytes = wholeOf(slice)
      this.#leftBytes -= bytes.byteLength
      for (const position of batchPositions(bytes)) this.#takeBatch(bytes, position)
      // The record was compacted away.
      if (this.#found.length === before) this.#found.push(null)
      return true
    } catch (error) {
      this.#done(error as Error, [])
      return false
    } finally {
      slice.release()
    }
  }

  #takeBatch(bytes: Buffer, position: number): void {
    const last = lastOffsetOf(bytes, position)
    if (this.#wanted > last) return
    // A batch may hold many more messages than are read at a time.
    for (const record of recordsOf(bytes, position, MAX_DECOMPRESSED_BYTES, this.#wanted)) {
      while (this.#wanted < record.offset && this.#isAscending) this.#found.push(null)
      if (record.offset !== this.#wanted) continue
      this.#found.push(this.#mapping.storedMessageOf(record))
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
