import { assert } from '../../base/assert.ts'
import { GrowingBytes, withoutZeroTail } from './growing-bytes.ts'

const ENTRY_BYTES = 8
const EMPTY = Buffer.alloc(0)

/**
 * Sparse index from offsets to file positions, in memory as in the `.index` file: int32 last offset
 * of a batch minus the base offset, int32 position of that batch.
 * Source: OffsetIndex, Kafka 4.4.
 */
export class OffsetIndex {
  readonly #baseOffset: number
  readonly #entries: GrowingBytes

  constructor(baseOffset: number, content: Buffer = EMPTY) {
    this.#baseOffset = baseOffset
    this.#entries = new GrowingBytes(content)
  }

  /** @returns null when the bytes can't be the index of a log of `logBytes`: rebuild it */
  static parse(baseOffset: number, file: Buffer, logBytes: number): OffsetIndex | null {
    const content = withoutZeroTail(file, ENTRY_BYTES)
    if (content === null) return null
    let offset = -1
    let position = -1
    for (let at = 0; at < content.byteLength; at += ENTRY_BYTES) {
      const nextOffset = content.readInt32BE(at)
      const nextPosition = content.readInt32BE(at + 4)
      if (nextOffset <= offset || nextPosition <= position || nextPosition >= logBytes) return null
      offset = nextOffset
      position = nextPosition
    }
    return new OffsetIndex(baseOffset, content)
  }

  get entryCount(): number {
    return this.#entries.byteLength / ENTRY_BYTES
  }

  /** Last offset of the last batch with an entry, below the base offset without one. */
  get lastOffset(): number {
    const end = this.#entries.byteLength
    return this.#baseOffset + (end === 0 ? -1 : this.#entries.buffer.readInt32BE(end - 8))
  }

  /** Position of the last batch with an entry, 0 without one. */
  get lastPosition(): number {
    const end = this.#entries.byteLength
    return end === 0 ? 0 : this.#entries.buffer.readInt32BE(end - 4)
  }

  append(lastOffset: number, position: number): void {
    assert(lastOffset - this.#baseOffset <= 0x7fff_ffff, 'an indexed offset fits its segment')
    const at = this.#entries.extend(ENTRY_BYTES)
    const { buffer } = this.#entries
    buffer.writeInt32BE(lastOffset - this.#baseOffset, at)
    buffer.writeInt32BE(position, at + 4)
  }

  /** A position at or before the batch that holds `offset`. */
  lookup(offset: number): number {
    const { buffer } = this.#entries
    const relative = offset - this.#baseOffset
    let low = 0
    let high = this.entryCount
    while (low < high) {
      const middle = (low + high) >>> 1
      if (buffer.readInt32BE(middle * ENTRY_BYTES) <= relative) low = middle + 1
      else high = middle
    }
    return low === 0 ? 0 : buffer.readInt32BE((low - 1) * ENTRY_BYTES + 4)
  }

  /** The file's content, a view. */
  bytes(): Buffer {
    return this.#entries.bytes()
  }
}
