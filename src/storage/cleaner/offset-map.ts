import { HASH_WORDS, hashKey, lastHash } from './key-hash.ts'

/** 128 bits of the key's hash and an offset. */
export const OFFSET_MAP_SLOT_BYTES = 24
const EMPTY = -1

/**
 * The newest offset of each key, in memory of a fixed size: keys are known by a hash of 128 bits, so
 * a wrong match is as good as impossible, and nothing is ever taken out but by `clear`.
 * Source: SkimpyOffsetMap, Kafka 4.4.
 */
export class OffsetMap {
  /** Keys that the map takes; more would make the search in it slow. */
  readonly capacity: number
  /** All offsets up to here are in the map, -1 when it is empty. */
  latestOffset = -1
  readonly #slotCount: number
  readonly #hashes: Uint32Array
  readonly #offsets: Float64Array
  readonly #secret: Uint32Array
  #size = 0

  /**
   * @param bufferBytes memory to take, `log.cleaner.dedupe.buffer.size` at most
   * @param loadFactor how full it may get, above 0, at most 1 (`log.cleaner.io.buffer.load.factor`)
   * @param secret four random words, so that nobody can make keys of one hash
   */
  constructor(bufferBytes: number, loadFactor: number, secret: readonly number[]) {
    this.#secret = Uint32Array.from(secret)
    this.#slotCount = Math.max(2, Math.floor(bufferBytes / OFFSET_MAP_SLOT_BYTES))
    // A search ends at an empty slot, and without room for a key nothing would ever be cleaned.
    const wanted = Math.floor(this.#slotCount * loadFactor)
    this.capacity = Math.min(Math.max(1, wanted), this.#slotCount - 1)
    this.#hashes = new Uint32Array(this.#slotCount * HASH_WORDS)
    this.#offsets = new Float64Array(this.#slotCount).fill(EMPTY)
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
    if (this.#offsets[slot] === EMPTY) {
      this.#size++
      this.#hashes.set(lastHash, slot * HASH_WORDS)
    }
    this.#offsets[slot] = offset
    this.latestOffset = offset
    return true
  }

  /** The newest offset of the key, `bytes[start, end)`; -1 when it is not in the map. */
  get(bytes: Buffer, start: number, end: number): number {
    hashKey(bytes, start, end, this.#secret)
    return this.#offsets[this.#find()] as number
  }

  /** All offsets up to this one were looked at, with or without a key. */
  updateLatestOffset(offset: number): void {
    if (offset > this.latestOffset) this.latestOffset = offset
  }

  clear(): void {
    this.#offsets.fill(EMPTY)
    this.#size = 0
    this.latestOffset = -1
  }

  /** The slot of the last hash, or the empty one where it would be. */
  #find(): number {
    const hashes = this.#hashes
    let slot = (lastHash[0] as number) % this.#slotCount
    while (this.#offsets[slot] !== EMPTY) {
      const at = slot * HASH_WORDS
      if (
        hashes[at] === lastHash[0] &&
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
