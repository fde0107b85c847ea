import { hashKey, lastHash } from './key-hash.ts'

/** An offset and 128 bits of the key's hash, beside each other: a search costs one cache line. */
export const OFFSET_MAP_SLOT_BYTES = 24
const SLOT_WORDS = OFFSET_MAP_SLOT_BYTES / 4
const SLOT_DOUBLES = OFFSET_MAP_SLOT_BYTES / 8
/** Where in a slot the hash begins. */
const HASH_WORD = 2
const BITS_OF_WORD = 32

/** The offsets that the map is made for: it also remembers which of them were replaced. */
export interface OffsetSpan {
  readonly firstOffset: number
  readonly offsetCount: number
}

/**
 * The newest offset of each key, in memory of a fixed size: keys are known by a hash of 128 bits, so
 * a wrong match is as good as impossible, and nothing is ever taken out.
 * Source: SkimpyOffsetMap, Kafka 4.4. The bits are ours: what was put needs no second hash.
 */
export class OffsetMap {
  /** Keys that the map takes; more would make the search in it slow. */
  readonly capacity: number
  /** All offsets up to here are in the map, -1 when it is empty. */
  latestOffset = -1
  readonly #slotCount: number
  /** Slots: the offset and one, which is 0 in an empty one, then the hash. */
  readonly #offsets: Float64Array
  readonly #hashes: Uint32Array
  readonly #secret: Uint32Array
  readonly #firstOffset: number
  /** A bit for each offset of the span, or as many as fit a 24th of the slots' memory. */
  readonly #isReplaced: Uint32Array
  readonly #bitCount: number
  #size = 0

  /**
   * @param bufferBytes memory to take, `log.cleaner.dedupe.buffer.size` at most
   * @param loadFactor how full it may get, above 0, at most 1 (`log.cleaner.io.buffer.load.factor`)
   * @param secret four random words, so that nobody can make keys of one hash
   * @param span all offsets that are put come from it, and each of them with a key is put
   */
  constructor(
    bufferBytes: number,
    loadFactor: number,
    secret: readonly number[],
    { firstOffset, offsetCount }: OffsetSpan,
  ) {
    this.#secret = Uint32Array.from(secret)
    this.#slotCount = Math.max(2, Math.floor(bufferBytes / OFFSET_MAP_SLOT_BYTES))
    // A search ends at an empty slot, and without room for a key nothing would ever be cleaned.
    const wanted = Math.floor(this.#slotCount * loadFactor)
    this.capacity = Math.min(Math.max(1, wanted), this.#slotCount - 1)
    const slots = new ArrayBuffer(this.#slotCount * OFFSET_MAP_SLOT_BYTES)
    this.#offsets = new Float64Array(slots)
    this.#hashes = new Uint32Array(slots)
    this.#firstOffset = firstOffset
    const words = Math.min(Math.ceil(offsetCount / BITS_OF_WORD), this.#slotCount >> 2)
    this.#isReplaced = new Uint32Array(words)
    this.#bitCount = words * BITS_OF_WORD
  }

  get size(): number {
    return this.#size
  }

  /**
   * Takes note that the newest record of the key, `bytes[start, end)`, is at `offset`; they come in order.
   * @returns false when the map is full: then nothing was done, whether the key is in it or not
   */
  put(bytes: Buffer, start: number, end: number, offset: number): boolean {
    if (this.#size === this.capacity) return false
    hashKey(bytes, start, end, this.#secret)
    const slot = this.#find()
    const at = slot * SLOT_DOUBLES
    const replaced = (this.#offsets[at] as number) - 1
    if (replaced < 0) {
      this.#size++
      this.#hashes.set(lastHash, slot * SLOT_WORDS + HASH_WORD)
    } else this.#replace(replaced)
    this.#offsets[at] = offset + 1
    this.latestOffset = offset
    return true
  }

  /**
   * Whether no record of the key, `bytes[start, end)`, is newer than the one at `offset`. Asked for
   * offsets up to the latest, and within the span only of records that were put.
   */
  isNewest(bytes: Buffer, start: number, end: number, offset: number): boolean {
    const index = offset - this.#firstOffset
    // The shift counts modulo 32.
    if (index >= 0 && index < this.#bitCount)
      return (((this.#isReplaced[index >>> 5] as number) >>> index) & 1) === 0
    return this.newestOffset(bytes, start, end) <= offset
  }

  /** The newest offset of the key, `bytes[start, end)`; -1 when it is not in the map. */
  newestOffset(bytes: Buffer, start: number, end: number): number {
    hashKey(bytes, start, end, this.#secret)
    return (this.#offsets[this.#find() * SLOT_DOUBLES] as number) - 1
  }

  /** All offsets up to this one were looked at, with or without a key. */
  updateLatestOffset(offset: number): void {
    if (offset > this.latestOffset) this.latestOffset = offset
  }

  #replace(offset: number): void {
    const index = offset - this.#firstOffset
    if (index < this.#bitCount)
      this.#isReplaced[index >>> 5] = (this.#isReplaced[index >>> 5] as number) | (1 << index)
  }

  /** The slot of the last hash, or the empty one where it would be. */
  #find(): number {
    const hashes = this.#hashes
    const offsets = this.#offsets
    const word0 = lastHash[0] as number
    let slot = word0 % this.#slotCount
    while (offsets[slot * SLOT_DOUBLES] !== 0) {
      const at = slot * SLOT_WORDS + HASH_WORD
      if (
        hashes[at] === word0 &&
        hashes[at + 1] === lastHash[1] &&
        hashes[at + 2] === lastHash[2] &&
        hashes[at + 3] === lastHash[3]
      )
        return slot
      slot = slot + 1 === this.#slotCount ? 0 : slot + 1
    }
    return slot
  }
}
