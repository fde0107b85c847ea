/** Words of a hash, and of the secret that goes into it. */
export const HASH_WORDS = 4

/** The last hash, 128 bits; read it before the next one. */
export const lastHash = new Uint32Array(HASH_WORDS)

/** Halves of the hash and the secret are those of one HalfSipHash each. */
const HALF_WORDS = 2

/**
 * Hashes a key, `bytes[start, end)`, into `lastHash`: HalfSipHash-2-4 with 64 bits, twice, with a secret each. Keys are chosen
 * by clients, and two of the same hash are taken for one: without the secret nobody can make them.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", and its reference code.
 */
export function hashKey(bytes: Uint8Array, start: number, end: number, secret: Uint32Array): void {
  hashHalf(bytes, start, end, secret[0] as number, secret[1] as number, 0)
  hashHalf(bytes, start, end, secret[2] as number, secret[3] as number, HALF_WORDS)
}

/** Hot: two calls for each record. State is in local variables, as signed 32-bit integers. */
function hashHalf(
  bytes: Uint8Array,
  start: number,
  end: number,
  secret0: number,
  secret1: number,
  into: number,
): void {
  const length = end - start
  const wordsEnd = start + (length & ~3)
  let v0 = secret0 | 0
  let v1 = secret1 ^ 0xee
  let v2 = 0x6c796765 ^ secret0
  let v3 = 0x74656462 ^ secret1
  // One step for each word of the key and one for its length, then eight that end it.
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
      if (at === wordsEnd + 4) v2 ^= 0xee
      else {
        lastHash[into] = v1 ^ v3
        v1 ^= 0xdd
      }
    }
    v3 ^= word
    for (let round = 0; round < rounds; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    v0 ^= word
    if (at === wordsEnd + 8) break
  }
  lastHash[into + 1] = v1 ^ v3
}
