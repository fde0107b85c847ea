/**
 * Walks an LZ4 block without copying a byte of it. Source: LZ4 block format description.
 */

const MIN_MATCH = 4

/** Where the walk's last match began, in bytes of output; -1 = the block is literals only. */
let lastMatchStart = -1

/**
 * Bytes that the block `buffer[start, end)` decompresses to, or -1 when it is malformed, reaches
 * back before its own start or gives more than `maxBytes`.
 */
export function lz4BlockLength(
  buffer: Uint8Array,
  start: number,
  end: number,
  maxBytes: number,
): number {
  let at = start
  let written = 0
  lastMatchStart = -1
  while (at < end) {
    const token = buffer[at++] as number
    let literals = token >>> 4
    if (literals === 15) {
      let more = 255
      while (more === 255 && at < end) {
        more = buffer[at++] as number
        literals += more
      }
      if (more === 255) return -1
    }
    at += literals
    written += literals
    if (at > end || written > maxBytes) return -1
    if (at === end) return written
    if (at + 2 > end) return -1
    const distance = (buffer[at] as number) | ((buffer[at + 1] as number) << 8)
    at += 2
    if (distance === 0 || distance > written) return -1
    let match = (token & 15) + MIN_MATCH
    if ((token & 15) === 15) {
      let more = 255
      while (more === 255 && at < end) {
        more = buffer[at++] as number
        match += more
      }
      if (more === 255) return -1
    }
    lastMatchStart = written
    written += match
    if (written > maxBytes) return -1
  }
  // A block ends with literals, so running out after a match (or before anything) is malformed.
  return -1
}

/** Output position where the last match of a well-formed block begins; -1 without matches. */
export function lz4LastMatchStart(buffer: Uint8Array, start: number, end: number): number {
  return lz4BlockLength(buffer, start, end, Number.MAX_SAFE_INTEGER) < 0
    ? Number.MAX_SAFE_INTEGER
    : lastMatchStart
}
