import type { Random } from '../../src/ports/random.ts'

/** Repeatable randomness: the same seed gives the same run. xorshift32 is enough for that. */
export class SeededRandom implements Random {
  #state: number

  /** @param seed any integer */
  constructor(seed: number) {
    // A state of 0 would stay 0; the multiplication sets neighbours apart.
    this.#state = Math.imul(seed | 0, 0x9e37_79b1) | 1
    for (let i = 0; i < 8; i++) this.#next()
  }

  int(below: number): number {
    return this.#next() % below
  }

  uuid(): string {
    const bytes = Buffer.allocUnsafe(16)
    for (let at = 0; at < 16; at += 4) bytes.writeUInt32LE(this.#next(), at)
    bytes[0] = 0x41
    return bytes.toString('base64url')
  }

  /** True once in `times`, on average. */
  oneIn(times: number): boolean {
    return this.int(times) === 0
  }

  /** @throws Error for an empty list */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('nothing to pick from')
    return list[this.int(list.length)] as T
  }

  #next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return state >>> 0
  }
}
