/**
 * Variable-length integers of the Kafka protocol: 7 bits a byte, lowest first, top bit = more.
 * `uvarint` is unsigned 32 bit, `varint` zig-zag 32 bit, `varlong` zig-zag 64 bit held in a number.
 * Source: Kafka protocol guide, "Protocol Primitive Types".
 */

/** Where a reader is. One object is reused for a whole walk, so reading allocates nothing. */
export interface Cursor {
  position: number
}

/**
 * After a malformed or cut number the position is this: greater than any end, so reads keep failing.
 * A small integer, or one bad request would make every later walk keep its position as a double.
 */
export const MALFORMED = 0x7fff_ffff

/**
 * Reads an unsigned varint of at most 5 bytes from before `end`.
 * @returns the value; on malformed bytes 0, and `cursor.position` becomes MALFORMED
 */
export function readUvarint(buffer: Uint8Array, cursor: Cursor, end: number): number {
  let position = cursor.position
  let value = 0
  for (let shift = 0; shift <= 28; shift += 7) {
    if (position >= end) break
    const byte = buffer[position++] as number
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      cursor.position = position
      return value >>> 0
    }
  }
  cursor.position = MALFORMED
  return 0
}

/** Reads a zig-zag int32; malformed bytes as in `readUvarint`. */
export function readVarint(buffer: Uint8Array, cursor: Cursor, end: number): number {
  const position = cursor.position
  if (position < end) {
    const byte = buffer[position] as number
    if (byte < 0x80) {
      cursor.position = position + 1
      return (byte >>> 1) ^ -(byte & 1)
    }
  }
  const raw = readUvarint(buffer, cursor, end)
  return (raw >>> 1) ^ -(raw & 1)
}

/**
 * Reads a zig-zag int64 of at most ±2^52, which is 142 thousand years in ms; more counts as malformed.
 */
export function readVarlong(buffer: Uint8Array, cursor: Cursor, end: number): number {
  let position = cursor.position
  let low = 0
  for (let shift = 0; shift < 28; shift += 7) {
    if (position >= end) break
    const byte = buffer[position++] as number
    low |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      cursor.position = position
      return (low >>> 1) ^ -(low & 1)
    }
  }
  let raw = low
  for (let scale = 0x1000_0000; position < end && scale <= 2 ** 63; scale *= 128) {
    const byte = buffer[position++] as number
    raw += (byte & 0x7f) * scale
    if (byte >= 0x80) continue
    if (raw > Number.MAX_SAFE_INTEGER) break
    cursor.position = position
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
  }
  cursor.position = MALFORMED
  return 0
}

/** Moves over `length` bytes; a length below 0 or beyond `end` is malformed. */
export function skipBytes(cursor: Cursor, length: number, end: number): void {
  if (length < 0 || length > end - cursor.position) cursor.position = MALFORMED
  else cursor.position += length
}

/** Writes `value` (0 to 2^32-1); returns the position after it. */
export function writeUvarint(buffer: Uint8Array, position: number, value: number): number {
  let rest = value >>> 0
  let at = position
  while (rest >= 0x80) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  buffer[at++] = rest
  return at
}

/** Writes a zig-zag int32; returns the position after it. */
export function writeVarint(buffer: Uint8Array, position: number, value: number): number {
  return writeUvarint(buffer, position, (value << 1) ^ (value >> 31))
}

/** Writes a zig-zag int64 of at most ±2^52; returns the position after it. */
export function writeVarlong(buffer: Uint8Array, position: number, value: number): number {
  let rest = zigZagLong(value)
  let at = position
  while (rest >= 0x80) {
    buffer[at++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  buffer[at++] = rest
  return at
}

/** Bytes that `writeUvarint` takes for `value`. */
export function sizeOfUvarint(value: number): number {
  const bits = 32 - Math.clz32(value >>> 0)
  return bits === 0 ? 1 : Math.ceil(bits / 7)
}

/** Bytes that `writeVarint` takes for `value`. */
export function sizeOfVarint(value: number): number {
  return sizeOfUvarint((value << 1) ^ (value >> 31))
}

/** Bytes that `writeVarlong` takes for `value`. */
export function sizeOfVarlong(value: number): number {
  let size = 1
  for (let rest = zigZagLong(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
  return size
}

function zigZagLong(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1
}
