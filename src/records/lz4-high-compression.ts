/**
 * LZ4 blocks made with more search than the fast compressors do. Source: LZ4 block format description.
 */

const MIN_MATCH = 4
/** The format wants the last five bytes to be literals and no match to begin in the last twelve. */
const LAST_LITERALS = 5
const LAST_MATCH_DISTANCE = 12
/** A match is at most one byte less back. */
const WINDOW_BYTES = 65_536
const HASH_BITS = 15
const HASH_FACTOR = 0x9e37_79b1

/** By hash, the newest position that has it, plus 1; 0: none. */
const heads = new Int32Array(1 << HASH_BITS)
/** By position in the window, the one before with the same hash, plus 1. */
const links = new Int32Array(WINDOW_BYTES)

/** What the last search found. */
let foundLength = 0
let foundPosition = 0

/** Bytes that a block of `byteCount` bytes may need at most. */
export const lz4BlockBound = (byteCount: number): number =>
  byteCount + Math.ceil(byteCount / 255) + 16

/**
 * Compresses one block.
 * @param from the whole block: matches reach back no further than its start
 * @param to at least `lz4BlockBound` bytes
 * @param maxAttempts places to compare with, for each byte where a match could begin
 * @returns bytes written
 */
export function compressLz4BlockHigh(
  from: Uint8Array,
  to: Uint8Array,
  maxAttempts: number,
): number {
  heads.fill(0)
  const lastStart = from.length - LAST_MATCH_DISTANCE
  let written = 0
  let literalsStart = 0
  let at = 0
  while (at <= lastStart) {
    find(from, at, maxAttempts)
    remember(from, at)
    if (foundLength < MIN_MATCH) {
      at++
      continue
    }
    let length = foundLength
    let position = foundPosition
    // A longer match one byte later is worth a literal.
    for (; at < lastStart; at++) {
      find(from, at + 1, maxAttempts)
      if (foundLength <= length) break
      remember(from, at + 1)
      length = foundLength
      position = foundPosition
    }
    written = writeLiterals(from, literalsStart, at, to, written, length - MIN_MATCH)
    const distance = at - position
    to[written++] = distance & 0xff
    to[written++] = distance >>> 8
    written = writeMore(to, written, length - MIN_MATCH)
    const end = at + length
    for (let next = at + 1; next < end && next <= lastStart; next++) remember(from, next)
    at = end
    literalsStart = end
  }
  return writeLiterals(from, literalsStart, from.length, to, written, 0)
}

function hashAt(from: Uint8Array, at: number): number {
  const word =
    (from[at] as number) |
    ((from[at + 1] as number) << 8) |
    ((from[at + 2] as number) << 16) |
    ((from[at + 3] as number) << 24)
  return Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS)
}

function remember(from: Uint8Array, at: number): void {
  const hash = hashAt(from, at)
  const head = heads[hash] as number
  // The search one byte ahead may have been here.
  if (head === at + 1) return
  links[at & (WINDOW_BYTES - 1)] = head
  heads[hash] = at + 1
}

/** Sets `foundLength` and `foundPosition` to the longest match with what is remembered. */
function find(from: Uint8Array, at: number, maxAttempts: number): void {
  const end = from.length - LAST_LITERALS
  let best = MIN_MATCH - 1
  const oldest = Math.max(0, at - WINDOW_BYTES + 1)
  let candidate = (heads[hashAt(from, at)] as number) - 1
  foundLength = 0
  for (let left = maxAttempts; candidate >= oldest && left > 0; left--) {
    // A longer match has this byte too, most others have not.
    if (from[candidate + best] === from[at + best]) {
      let length = 0
      while (at + length < end && from[candidate + length] === from[at + length]) length++
      if (length > best) {
        best = length
        foundLength = length
        foundPosition = candidate
        if (at + length === end) return
      }
    }
    candidate = (links[candidate & (WINDOW_BYTES - 1)] as number) - 1
  }
}

/** Token, long lengths and literals; what of the match is not in the token comes after the distance. */
function writeLiterals(
  from: Uint8Array,
  start: number,
  end: number,
  to: Uint8Array,
  written: number,
  matchLength: number,
): number {
  const count = end - start
  to[written++] = (Math.min(count, 15) << 4) | Math.min(matchLength, 15)
  const at = writeMore(to, written, count)
  to.set(from.subarray(start, end), at)
  return at + count
}

/** The part of a length that four bits do not hold. */
function writeMore(to: Uint8Array, at: number, length: number): number {
  if (length < 15) return at
  let rest = length - 15
  for (; rest >= 255; rest -= 255) to[at++] = 255
  to[at++] = rest
  return at
}
