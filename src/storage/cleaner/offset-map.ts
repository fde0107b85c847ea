import { hash } from 'node:crypto'

/** 128 bits of the key's hash and an offset. */
export const OFFSET_MAP_SLOT_BYTES = 24
const HASH_WORDS = 4
const EMPTY = -1

/**
 * The newest offset of each key, in memory of a fixed size: keys are known by 128 bits of a
 * hash, so a wrong match is as good as impossible, and nothing is ever taken out but by `clear`.
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
  #size = 0

  /**
   * @param bufferBytes memory to take, `log.cleaner.dedupe.buffer.size` at most
   * @param loadFactor how full it may get, above 0, at most 1 (`log.cleaner.io.buffer.load.factor`)
   */
  constructor(bufferBytes: number, loadFactor: number) {
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
   * Takes note that the newest record of `key` is at `offset`; offsets come in order.
   * @returns false when the map is full: then nothing was done, whether the key is in it or not
   */
  put(key: Buffer, offset: number): boolean {
    if (this.#size === this.capacity) return false
    const words = hashOf(key)
    const slot = this.#find(words)
    if (this.#offsets[slot] === EMPTY) {
      this.#size++
      this.#hashes.set(words, slot * HASH_WORDS)
    }
    this.#offsets[slot] = offset
    this.latestOffset = offset
    return true
  }

  /** The newest offset of the key, -1 when it is not in the map. */
  get(key: Buffer): number {
    return this.#offsets[this.#find(hashOf(key))] as number
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

  /** The slot of the hash, or the empty one where it would be. */
  #find(words: Uint32Array): number {
    const hashes = this.#hashes
    let slot = (words[0] as number) % this.#slotCount
    while (this.#offsets[slot] !== EMPTY) {
      const at = slot * HASH_WORDS
      if (
        hashes[at] === words[0] &&
        hashes[at + 1] === words[1] &&
        hashes[at + 2] === words[2] &&
        hashes[at + 3] === words[3]
      )
        return slot
      slot = slot + 1 === this.#slotCount ? 0 : slot + 1
    }
    return slot
  }
}

/** The last hash; read it before the next one. */
const lastHash = new Uint32Array(HASH_WORDS)

/** Keys are chosen by clients: nobody must be able to make one that hides another one's record. */
function hashOf(key: Buffer): Uint32Array {
  const digest = hash('sha256', key, 'buffer')
  for (let index = 0; index < HASH_WORDS; index++) lastHash[index] = digest.readUInt32LE(index * 4)
  return lastHash
}
