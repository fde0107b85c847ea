import { assert } from '../base/assert.ts'
import { ProtocolError } from '../base/errors.ts'

export interface ReaderLimits {
  /** Array elements one message may hold: 2 bytes on the wire can become a 100-byte object. */
  readonly maxElements: number
}

const DEFAULT_LIMITS: ReaderLimits = { maxElements: 1_000_000 }

export const ZERO_UUID = 'A'.repeat(22)

/** Kafka refuses longer ones also where the length is a varint. */
const MAX_STRING_BYTES = 0x7fff

const EMPTY = Buffer.alloc(0)

const TWO_POW_32 = 0x1_0000_0000
const SAFE_HIGH_MAX = 0x1f_ffff
const SAFE_HIGH_MIN = -0x20_0000

/**
 * Reads Kafka's primitive types in order. Every method checks the bounds and throws
 * `ProtocolError`: a throw in a branch that is never taken costs nothing, and no caller can
 * forget to look. Byte fields are views of the buffer, never copies.
 *
 * One reader serves many messages: `reset` points it at the next one without allocating.
 */
export class Reader {
  readonly #maxElements: number
  #buffer: Buffer
  #view: DataView
  #end: number
  #at = 0
  #elementsLeft: number

  /** Reads all of `buffer`; give none to make a reader that waits for `reset`. */
  constructor(buffer: Buffer = EMPTY, limits: ReaderLimits = DEFAULT_LIMITS) {
    this.#maxElements = limits.maxElements
    this.#buffer = buffer
    this.#view = viewOf(buffer)
    this.#end = buffer.byteLength
    this.#elementsLeft = limits.maxElements
  }

  /**
   * Starts the next message, at `start` of `buffer` up to `end`, with a fresh element budget.
   * Messages in the same buffer share its view. Without arguments it lets go of the buffer.
   */
  reset(buffer: Buffer = EMPTY, start: number = 0, end: number = buffer.byteLength): void {
    assert(start >= 0 && start <= end && end <= buffer.byteLength, 'message is in its buffer')
    if (buffer !== this.#buffer) {
      this.#buffer = buffer
      this.#view = viewOf(buffer)
    }
    this.#at = start
    this.#end = end
    this.#elementsLeft = this.#maxElements
  }

  /** Where the next value starts, counted from the start of the buffer. */
  get position(): number {
    return this.#at
  }

  /** Bytes of the message not read yet. */
  get remaining(): number {
    return this.#end - this.#at
  }

  /** A message must use all its bytes, or the two sides disagree about the schema. */
  expectEnd(): void {
    if (this.#at !== this.#end) throw new ProtocolError('bytes left after the message')
  }

  bool(): boolean {
    return this.#view.getInt8(this.#take(1)) !== 0
  }

  int8(): number {
    return this.#view.getInt8(this.#take(1))
  }

  int16(): number {
    return this.#view.getInt16(this.#take(2))
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2))
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4))
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4))
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8))
  }

  /** Offsets and timestamps stay below 2^53; anything else is not a request we can serve. */
  int64(): number {
    const at = this.#take(8)
    const high = this.#view.getInt32(at)
    if (high > SAFE_HIGH_MAX || high < SAFE_HIGH_MIN) throw new ProtocolError('int64 is not safe')
    return high * TWO_POW_32 + this.#view.getUint32(at + 4)
  }

  /** For fields where peers send "no limit" as 2^63-1: clamps to the safe range. */
  int64Saturated(): number {
    const at = this.#take(8)
    const high = this.#view.getInt32(at)
    if (high > SAFE_HIGH_MAX) return Number.MAX_SAFE_INTEGER
    if (high < SAFE_HIGH_MIN) return Number.MIN_SAFE_INTEGER
    return high * TWO_POW_32 + this.#view.getUint32(at + 4)
  }

  int64Bigint(): bigint {
    return this.#view.getBigInt64(this.#take(8))
  }

  /** Kafka prints ids in base64url; so do we: readable in logs and usable as a Map key. */
  uuid(): string {
    const at = this.#take(16)
    // Zero means "not given", the usual value in requests by name; seeing it beats printing it.
    return this.#isZero(at) ? ZERO_UUID : this.#buffer.toString('base64url', at, at + 16)
  }

  string(): string {
    return this.#text(this.#present(this.int16()))
  }

  nullableString(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.#text(length)
  }

  compactString(): string {
    return this.#text(this.#present(this.uvarint() - 1))
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.#text(length)
  }

  bytes(): Buffer {
    return this.#slice(this.#present(this.int32()))
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    return length < 0 ? null : this.#slice(length)
  }

  compactBytes(): Buffer {
    return this.#slice(this.#present(this.uvarint() - 1))
  }

  compactNullableBytes(): Buffer | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.#slice(length)
  }

  records(): Buffer {
    return this.bytes()
  }

  nullableRecords(): Buffer | null {
    return this.nullableBytes()
  }

  compactRecords(): Buffer {
    return this.compactBytes()
  }

  compactNullableRecords(): Buffer | null {
    return this.compactNullableBytes()
  }

  /** `minElementBytes` lets a hostile count fail here, before anything is allocated for it. */
  count(minElementBytes: number): number {
    return this.#affordable(this.#present(this.int32()), minElementBytes)
  }

  /** -1 means null. */
  nullableCount(minElementBytes: number): number {
    return this.#affordable(this.int32(), minElementBytes)
  }

  compactCount(minElementBytes: number): number {
    return this.#affordable(this.#present(this.uvarint() - 1), minElementBytes)
  }

  /** -1 means null. */
  compactNullableCount(minElementBytes: number): number {
    return this.#affordable(this.uvarint() - 1, minElementBytes)
  }

  uvarint(): number {
    const first = this.#view.getUint8(this.#take(1))
    return first < 0x80 ? first : this.#uvarintTail(first & 0x7f)
  }

  /** Reads a tagged field's size; returns where the field ends. */
  tagEnd(): number {
    const size = this.uvarint()
    if (size > this.remaining) throw new ProtocolError('tagged field is longer than the message')
    return this.#at + size
  }

  skipTo(position: number): void {
    this.#at = position
  }

  expectAt(position: number): void {
    if (this.#at !== position) throw new ProtocolError('tagged field has another size')
  }

  /** Most messages carry no tagged field we know: one byte, zero. */
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint()
      this.skipTo(this.tagEnd())
    }
  }

  #uvarintTail(low: number): number {
    let value = low
    for (let shift = 7; shift <= 28; shift += 7) {
      const byte = this.#view.getUint8(this.#take(1))
      value = (value | ((byte & 0x7f) << shift)) >>> 0
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        return value
      }
    }
    throw new ProtocolError('varint is longer than 32 bits')
  }

  #isZero(at: number): boolean {
    const view = this.#view
    const low = view.getInt32(at) | view.getInt32(at + 4)
    return (low | view.getInt32(at + 8) | view.getInt32(at + 12)) === 0
  }

  #take(byteCount: number): number {
    const at = this.#at
    if (at + byteCount > this.#end) throw new ProtocolError('message is truncated')
    this.#at = at + byteCount
    return at
  }

  #present(length: number): number {
    if (length < 0) throw new ProtocolError('null where a value is required')
    return length
  }

  #text(length: number): string {
    if (length > MAX_STRING_BYTES) throw new ProtocolError('string is longer than 32767 bytes')
    const at = this.#take(length)
    return this.#buffer.toString('utf8', at, at + length)
  }

  #slice(length: number): Buffer {
    const at = this.#take(length)
    return this.#buffer.subarray(at, at + length)
  }

  #affordable(count: number, minElementBytes: number): number {
    if (count <= 0) return count
    if (count * minElementBytes > this.remaining) throw new ProtocolError('count exceeds the bytes')
    this.#elementsLeft -= count
    if (this.#elementsLeft < 0) throw new ProtocolError('message has too many elements')
    return count
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
