import { assert } from '../base/assert.ts'

/** Record batches read in several parts: sent as they are, never joined. */
export interface RecordPieces {
  /** Sum over `pieces`. */
  readonly byteLength: number
  readonly pieces: readonly Buffer[]
}

const TWO_POW_32 = 0x1_0000_0000

/** One allocation serves many messages: allocating costs more than writing a small message. */
const SLAB_BYTES = 64 * 1024

/** Below this a copy is cheaper than another entry in the socket's writev. */
const COPY_BELOW_BYTES = 4096

const FRAME_SIZE_BYTES = 4

const MAX_STRING_BYTES = 0x7fff

/** Tag sizes below this fit the one byte reserved for them. */
const ONE_BYTE_SIZE_LIMIT = 0x80

/**
 * Writes Kafka's primitive types in order. Encoding is synchronous, so one writer serves a whole
 * process: write a message, call `finish()`, write the next. Large byte fields (records) are kept
 * by reference: `finish()` returns the pieces for one `writev`, so a fetch never copies log bytes.
 */
export class Writer {
  readonly #slabBytes: number
  #buffer: Buffer
  #view: DataView
  /** `#buffer.byteLength`, cached: asking the buffer at every write costs as much as the write. */
  #end: number
  #at = 0
  /** Start of the part of `#buffer` that is not yet in `#pieces`. */
  #pieceStart = 0
  #pieces: Buffer[] = []
  #openTags = 0

  constructor(slabBytes: number = SLAB_BYTES) {
    this.#slabBytes = slabBytes
    this.#buffer = Buffer.allocUnsafeSlow(slabBytes)
    this.#view = viewOf(this.#buffer)
    this.#end = slabBytes
  }

  /** The message in order. Its buffers are never written again. */
  finish(): Buffer[] {
    this.#closePiece()
    const pieces = this.#pieces
    this.#pieces = []
    return pieces
  }

  /** Starts a message with room for its int32 size, which `finishFrame` fills in. */
  beginFrame(): void {
    assert(this.#pieces.length === 0 && this.#at === this.#pieceStart, 'a frame starts clean')
    this.int32(0)
  }

  /** As `finish`, for a message that `beginFrame` started; the size does not count itself. */
  finishFrame(): Buffer[] {
    const pieces = this.finish()
    const first = pieces[0]
    assert(first !== undefined, 'a frame was begun')
    let byteCount = 0
    for (const piece of pieces) byteCount += piece.byteLength
    first.writeInt32BE(byteCount - FRAME_SIZE_BYTES)
    return pieces
  }

  /** Forgets what an encoder wrote before it threw, so the next message starts clean. */
  discard(): void {
    this.#at = this.#pieceStart
    this.#pieces = []
    this.#openTags = 0
  }

  bool(value: boolean): void {
    const at = this.#reserve(1)
    this.#view.setInt8(at, value ? 1 : 0)
  }

  int8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setInt8(at, value)
  }

  int16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setInt16(at, value)
  }

  uint16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value)
  }

  int32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setInt32(at, value)
  }

  uint32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
  }

  float64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value)
  }

  int64(value: number): void {
    const at = this.#reserve(8)
    // Math.floor, not >>: the high half of a negative number must round down.
    const high = Math.floor(value / TWO_POW_32)
    this.#view.setInt32(at, high)
    this.#view.setUint32(at + 4, value - high * TWO_POW_32)
  }

  int64Saturated(value: number): void {
    if (value >= Number.MAX_SAFE_INTEGER) this.int64Bigint(0x7fff_ffff_ffff_ffffn)
    else if (value <= Number.MIN_SAFE_INTEGER) this.int64Bigint(-0x8000_0000_0000_0000n)
    else this.int64(value)
  }

  int64Bigint(value: bigint): void {
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, value)
  }

  uuid(value: string): void {
    const at = this.#reserve(16)
    if (this.#buffer.write(value, at, 16, 'base64url') !== 16)
      throw new TypeError('uuid is not 16 bytes')
  }

  string(value: string): void {
    const at = this.#reserve(2 + value.length * 3)
    const length = this.#writeText(value, at + 2)
    if (length > MAX_STRING_BYTES) throw new RangeError('string is longer than 32767 bytes')
    this.#view.setInt16(at, length)
    this.#at = at + 2 + length
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    const upperBound = value.length * 3
    if (upperBound + 1 < 0x80) this.#shortCompactString(value, upperBound)
    else this.#longCompactString(value)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0)
    else this.compactString(value)
  }

  bytes(value: Buffer): void {
    this.int32(value.byteLength)
    this.#raw(value)
  }

  nullableBytes(value: Buffer | null): void {
    if (value === null) this.int32(-1)
    else this.bytes(value)
  }

  compactBytes(value: Buffer): void {
    this.uvarint(value.byteLength + 1)
    this.#raw(value)
  }

  compactNullableBytes(value: Buffer | null): void {
    if (value === null) this.uvarint(0)
    else this.compactBytes(value)
  }

  records(value: Buffer | RecordPieces): void {
    this.int32(value.byteLength)
    this.#rawRecords(value)
  }

  nullableRecords(value: Buffer | RecordPieces | null): void {
    if (value === null) this.int32(-1)
    else this.records(value)
  }

  compactRecords(value: Buffer | RecordPieces): void {
    this.uvarint(value.byteLength + 1)
    this.#rawRecords(value)
  }

  compactNullableRecords(value: Buffer | RecordPieces | null): void {
    if (value === null) this.uvarint(0)
    else this.compactRecords(value)
  }

  count(count: number): void {
    this.int32(count)
  }

  compactCount(count: number): void {
    this.uvarint(count + 1)
  }

  nullCount(): void {
    this.int32(-1)
  }

  compactNullCount(): void {
    this.uvarint(0)
  }

  uvarint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.#byte(rest)
  }

  /** Returns the content's place in the open piece (growing moves it); `endTag` writes the size. */
  beginTag(tag: number): number {
    this.uvarint(tag)
    this.#byte(0)
    this.#openTags++
    return this.#at - this.#pieceStart
  }

  endTag(place: number): void {
    this.#openTags--
    const start = this.#pieceStart + place
    const size = this.#at - start
    if (size >= ONE_BYTE_SIZE_LIMIT) this.#widenSize(size)
    else this.#view.setUint8(start - 1, size)
  }

  /** Nearly every size fits the byte reserved for it; a longer one moves the content. */
  #widenSize(size: number): void {
    const extra = uvarintBytes(size) - 1
    const end = this.#reserve(extra)
    this.#buffer.copyWithin(end - size + extra, end - size, end)
    this.#at = end - size - 1
    this.uvarint(size)
    this.#at = end + extra
  }

  /** One byte of length whatever the text turns out to be: written after the text. */
  #shortCompactString(value: string, upperBound: number): void {
    const at = this.#reserve(1 + upperBound)
    const length = this.#writeText(value, at + 1)
    this.#view.setUint8(at, length + 1)
    this.#at = at + 1 + length
  }

  #longCompactString(value: string): void {
    const length = Buffer.byteLength(value)
    if (length > MAX_STRING_BYTES) throw new RangeError('string is longer than 32767 bytes')
    this.uvarint(length + 1)
    const at = this.#reserve(length)
    this.#writeText(value, at)
  }

  #writeText(value: string, at: number): number {
    return this.#buffer.write(value, at, 'utf8')
  }

  /** Not by reference inside a tag: its size could not be filled in afterwards. */
  #raw(value: Buffer): void {
    if (value.byteLength < COPY_BELOW_BYTES || this.#openTags > 0) {
      const at = this.#reserve(value.byteLength)
      value.copy(this.#buffer, at)
      return
    }
    this.#closePiece()
    this.#pieces.push(value)
  }

  #rawRecords(value: Buffer | RecordPieces): void {
    if (Buffer.isBuffer(value)) {
      this.#raw(value)
      return
    }
    let byteCount = 0
    for (const piece of value.pieces) {
      byteCount += piece.byteLength
      this.#raw(piece)
    }
    assert(byteCount === value.byteLength, 'record pieces have the length they claim')
  }

  #closePiece(): void {
    if (this.#at === this.#pieceStart) return
    this.#pieces.push(this.#buffer.subarray(this.#pieceStart, this.#at))
    this.#pieceStart = this.#at
  }

  #byte(value: number): void {
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
  }

  /** Call it before touching `#buffer` or `#view`: it may replace both. */
  #reserve(byteCount: number): number {
    if (this.#at + byteCount > this.#end) this.#startSlab(byteCount)
    const at = this.#at
    this.#at = at + byteCount
    return at
  }

  /** Closed pieces stay in the old slab; only the open one moves, to the start of the new. */
  #startSlab(byteCount: number): void {
    const open = this.#buffer.subarray(this.#pieceStart, this.#at)
    const wanted = (open.byteLength + byteCount) * 2
    const slab = Buffer.allocUnsafeSlow(Math.max(this.#slabBytes, wanted))
    open.copy(slab)
    this.#buffer = slab
    this.#view = viewOf(slab)
    this.#end = slab.byteLength
    this.#at = open.byteLength
    this.#pieceStart = 0
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function uvarintBytes(value: number): number {
  let count = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) count++
  return count
}
