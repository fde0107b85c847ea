import { readInt64, writeInt64 } from '../../base/int64.ts'
import { GrowingBytes, withoutZeroTail } from './growing-bytes.ts'

const ENTRY_BYTES = 12
const EMPTY = Buffer.alloc(0)

/**
 * Sparse index from times to offsets, in memory as in the `.timeindex` file: int64 largest timestamp
 * up to a batch, int32 last offset of the first batch that has it, minus the base offset.
 * Source: TimeIndex, Kafka 4.4.
 */
export class TimeIndex {
  readonly #baseOffset: number
  readonly #entries: GrowingBytes

  constructor(baseOffset: number, content: Buffer = EMPTY) {
    this.#baseOffset = baseOffset
    this.#entries = new GrowingBytes(content)
  }

  /** @returns null when the bytes can't be a time index: rebuild it */
  static parse(baseOffset: number, file: Buffer): TimeIndex | null {
    const content = withoutZeroTail(file, ENTRY_BYTES)
    if (content === null) return null
    let timestampMs = -1
    let offset = -1
    for (let at = 0; at < content.byteLength; at += ENTRY_BYTES) {
      const nextTimestampMs = readInt64(content, at)
      const nextOffset = content.readInt32BE(at + 8)
      if (nextTimestampMs <= timestampMs || nextOffset < offset) return null
      timestampMs = nextTimestampMs
      offset = nextOffset
    }
    return new TimeIndex(baseOffset, content)
  }

  get entryCount(): number {
    return this.#entries.byteLength / ENTRY_BYTES
  }

  /** Milliseconds, -1 without an entry. */
  get lastTimestampMs(): number {
    const end = this.#entries.byteLength
    return end === 0 ? -1 : readInt64(this.#entries.buffer, end - ENTRY_BYTES)
  }

  get lastOffset(): number {
    const end = this.#entries.byteLength
    return this.#baseOffset + (end === 0 ? 0 : this.#entries.buffer.readInt32BE(end - 4))
  }

  /** Adds an entry if the time is later than all before it. */
  maybeAppend(timestampMs: number, offset: number): void {
    if (timestampMs <= this.lastTimestampMs) return
    const at = this.#entries.extend(ENTRY_BYTES)
    writeInt64(this.#entries.buffer, at, timestampMs)
    this.#entries.buffer.writeInt32BE(offset - this.#baseOffset, at + 8)
  }

  /** All records before the returned offset are older than `timestampMs`. */
  lookup(timestampMs: number): number {
    const { buffer } = this.#entries
    let low = 0
    let high = this.entryCount
    while (low < high) {
      const middle = (low + high) >>> 1
      if (readInt64(buffer, middle * ENTRY_BYTES) <= timestampMs) low = middle + 1
      else high = middle
    }
    if (low === 0) return this.#baseOffset
    return this.#baseOffset + buffer.readInt32BE((low - 1) * ENTRY_BYTES + 8)
  }

  /** The file's content, a view. */
  bytes(): Buffer {
    return this.#entries.bytes()
  }
}
