/** Source: the seed and the two constants of MurmurHash2, as Kafka's clients use it. */
const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995
const SHIFT = 24

/**
 * MurmurHash2 of 32 bits, signed. It must be that of Kafka's clients, so that a key lands in the
 * same partition whoever produces it.
 */
export function murmur2(bytes: Uint8Array): number {
  const wholeBytes = bytes.length & ~3
  let hash = SEED ^ bytes.length
  for (let at = 0; at < wholeBytes; at += 4) {
    hash = Math.imul(hash, MULTIPLIER) ^ mixed(littleEndian(bytes, at, 4))
  }
  if (wholeBytes < bytes.length) {
    hash ^= littleEndian(bytes, wholeBytes, bytes.length - wholeBytes)
    hash = Math.imul(hash, MULTIPLIER)
  }
  hash ^= hash >>> 13
  hash = Math.imul(hash, MULTIPLIER)
  return hash ^ (hash >>> 15)
}

/** The partition of a key. Source: Kafka's BuiltInPartitioner.partitionForKey. */
export function partitionForRecordKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitionCount
}

function mixed(word: number): number {
  const product = Math.imul(word, MULTIPLIER)
  return Math.imul(product ^ (product >>> SHIFT), MULTIPLIER)
}

function littleEndian(bytes: Uint8Array, position: number, count: number): number {
  let word = 0
  for (let index = count - 1; index >= 0; index--) {
    word = (word << 8) | (bytes[position + index] as number)
  }
  return word
}
