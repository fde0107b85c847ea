/** Words of a hash, and of the secret that goes into it. */
export const HASH_WORDS = 4

/** The last hash, 128 bits; read it before the next one. */
export const lastHash = new Uint32Array(HASH_WORDS)

/**
 * Hashes a key, `bytes[start, end)`, into `lastHash`: HalfSipHash-2-4 with 64 bits, twice, with a
 * secret each. Keys are chosen by clients, and two of the same hash are taken for one: without the
 * secret nobody can make them.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", and its reference code.
 *
 * Hot: up to two calls for each record. State is in local variables, as signed 32-bit integers. Both
 * halves (a and b) go in step, so that the processor works on one while it waits for the other.
 */
export function hashKey(bytes: Uint8Array, start: number, end: number, secret: Uint32Array): void {
  const length = end - start
  const wordsEnd = start + (length & ~3)
  let a0 = (secret[0] as number) | 0
  let a1 = (secret[1] as number) ^ 0xee
  let a2 = 0x6c796765 ^ (secret[0] as number)
  let a3 = 0x74656462 ^ (secret[1] as number)
  let b0 = (secret[2] as number) | 0
  let b1 = (secret[3] as number) ^ 0xee
  let b2 = 0x6c796765 ^ (secret[2] as number)
  let b3 = 0x74656462 ^ (secret[3] as number)
  // One step for each word of the key and one for its length, then eight rounds that end it.
  let rounds = 2
  for (let at = start; ; at += 4) {
    let word = 0
    if (at < wordsEnd) {
      word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)
    } else if (at === wordsEnd) {
      word = length << 24
      for (let rest = at; rest < end; rest++) word |= (bytes[rest] as number) << ((rest - at) * 8)
    } else {
      rounds = 4
      if (at === wordsEnd + 4) {
        a2 ^= 0xee
        b2 ^= 0xee
      } else {
        lastHash[0] = a1 ^ a3
        lastHash[2] = b1 ^ b3
        a1 ^= 0xdd
        b1 ^= 0xdd
      }
    }
    a3 ^= word
    b3 ^= word
    for (let round = 0; round < rounds; round++) {
      a0 = (a0 + a1) | 0
      b0 = (b0 + b1) | 0
      a1 = ((a1 << 5) | (a1 >>> 27)) ^ a0
      b1 = ((b1 << 5) | (b1 >>> 27)) ^ b0
      a0 = (a0 << 16) | (a0 >>> 16)
      b0 = (b0 << 16) | (b0 >>> 16)
      a2 = (a2 + a3) | 0
      b2 = (b2 + b3) | 0
      a3 = ((a3 << 8) | (a3 >>> 24)) ^ a2
      b3 = ((b3 << 8) | (b3 >>> 24)) ^ b2
      a0 = (a0 + a3) | 0
      b0 = (b0 + b3) | 0
      a3 = ((a3 << 7) | (a3 >>> 25)) ^ a0
      b3 = ((b3 << 7) | (b3 >>> 25)) ^ b0
      a2 = (a2 + a1) | 0
      b2 = (b2 + b1) | 0
      a1 = ((a1 << 13) | (a1 >>> 19)) ^ a2
      b1 = ((b1 << 13) | (b1 >>> 19)) ^ b2
      a2 = (a2 << 16) | (a2 >>> 16)
      b2 = (b2 << 16) | (b2 >>> 16)
    }
    a0 ^= word
    b0 ^= word
    if (at === wordsEnd + 8) break
  }
  lastHash[1] = a1 ^ a3
  lastHash[3] = b1 ^ b3
}
