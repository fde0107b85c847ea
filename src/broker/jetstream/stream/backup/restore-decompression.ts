import { crc32c } from '../../../../base/crc32c.ts'
import { ProtocolError } from '../../../../base/errors.ts'
import { type Cursor, MALFORMED, readUvarint } from '../../../../base/varint.ts'

/**
 * Reads the framing of Snappy and of S2, and their blocks. S2 repeats the last distance, which Snappy has
 * no word for. Source: framing_format.txt of Snappy; the S2 extensions in klauspost/compress.
 */

const HEAD_BYTES = 4
const CRC_BYTES = 4
const COMPRESSED = 0x00
const UNCOMPRESSED = 0x01
const PADDING = 0x80
const STREAM_IDENTIFIER = 0xff
const IDENTIFIERS = ['sNaPpY', 'S2sTwO']
/** The most that a block of S2 may stand for. */
const MAX_BLOCK_BYTES = 4 * 1024 * 1024
const CRC_MASK = 0xa282ead8

/** Takes bytes as they come, and gives what they stand for. Holds less than one chunk, 16 MiB at most. */
export class SnapshotDecompressor {
  #rest: Buffer = Buffer.alloc(0)
  #hasStarted = false

  /** @throws ProtocolError when the bytes are no such stream */
  push(bytes: Buffer): Buffer[] {
    const all = this.#rest.byteLength === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const out: Buffer[] = []
    let at = 0
    while (all.byteLength - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + all.readUIntLE(at + 1, 3)
      if (end > all.byteLength) break
      const content = this.#contentOf(all.readUInt8(at), all.subarray(at + HEAD_BYTES, end))
      if (content !== null) out.push(content)
      at = end
    }
    this.#rest = Buffer.from(all.subarray(at))
    return out
  }

  /** @throws ProtocolError when the bytes end within a chunk */
  end(): void {
    if (this.#rest.byteLength > 0)
      throw new ProtocolError('the backup ends in the middle of a chunk')
  }

  #contentOf(type: number, body: Buffer): Buffer | null {
    if (type === STREAM_IDENTIFIER) {
      this.#hasStarted = IDENTIFIERS.includes(body.toString('latin1'))
      if (this.#hasStarted) return null
    }
    if (!this.#hasStarted) throw new ProtocolError('the backup is not compressed with S2 or Snappy')
    if (type >= PADDING) return null
    if (type > UNCOMPRESSED) throw new ProtocolError(`the backup has a chunk of type ${type}`)
    if (body.byteLength < CRC_BYTES) throw new ProtocolError('the backup has a chunk without a CRC')
    const block = body.subarray(CRC_BYTES)
    const content = type === COMPRESSED ? uncompressed(block) : block
    const crc = crc32c(content, 0, content.byteLength)
    const masked = (((crc >>> 15) | (crc << 17)) + CRC_MASK) >>> 0
    if (masked !== body.readUInt32LE(0))
      throw new ProtocolError('a chunk of the backup has a wrong CRC')
    return content
  }
}

const corrupt = (): ProtocolError =>
  new ProtocolError('a compressed block of the backup is corrupt')

/** Kinds of elements, in the two lowest bits of their tags. */
const LITERAL = 0
const COPY_1 = 1
const COPY_2 = 2

const cursor: Cursor = { position: 0 }

function uncompressed(block: Buffer): Buffer {
  cursor.position = 0
  const size = readUvarint(block, cursor, block.byteLength)
  if (cursor.position === MALFORMED || size > MAX_BLOCK_BYTES) throw corrupt()
  const out = Buffer.allocUnsafe(size)
  const element: Element = { next: cursor.position, length: 0, distance: 0 }
  let at = 0
  while (element.next < block.byteLength) {
    const isLiteral = (block.readUInt8(element.next) & 3) === LITERAL
    if (isLiteral) readLiteral(block, element)
    else readCopy(block, element)
    const { length, distance, next } = element
    if (length > size - at || next > block.byteLength) throw corrupt()
    if (isLiteral) {
      if (length > block.byteLength - next) throw corrupt()
      block.copy(out, at, next, next + length)
      element.next += length
    } else {
      if (distance === 0 || distance > at) throw corrupt()
      copyWithin(out, at, distance, length)
    }
    at += length
  }
  if (at !== size) throw corrupt()
  return out
}

interface Element {
  /** Where it ends; a literal's bytes follow. */
  next: number
  length: number
  /** Of the last copy. */
  distance: number
}

/** What is beyond the end reads as 0; the caller sees that `next` is too far. */
function little(block: Buffer, at: number, count: number): number {
  return at + count > block.byteLength ? 0 : block.readUIntLE(at, count)
}

function readLiteral(block: Buffer, element: Element): void {
  const at = element.next
  const code = block.readUInt8(at) >>> 2
  const extra = Math.max(0, code - 59)
  element.length = (extra === 0 ? code : little(block, at + 1, extra)) + 1
  element.next = at + 1 + extra
}

function readCopy(block: Buffer, element: Element): void {
  const at = element.next
  const tag = block.readUInt8(at)
  const kind = tag & 3
  if (kind !== COPY_1) {
    const count = kind === COPY_2 ? 2 : 4
    element.length = (tag >>> 2) + 1
    element.distance = little(block, at + 1, count)
    element.next = at + 1 + count
    return
  }
  const code = (tag >>> 2) & 7
  const distance = ((tag & 0xe0) << 3) | little(block, at + 1, 1)
  element.next = at + 2
  element.length = code + 4
  if (distance !== 0) {
    element.distance = distance
    return
  }
  // S2: as far back as the last time, with lengths that need more bytes.
  const extra = Math.max(0, code - 4)
  const base = [0, 4, 1 << 8, 1 << 16][extra] ?? 0
  if (extra > 0) element.length = little(block, at + 2, extra) + base + 4
  element.next += extra
}

/** Copies forwards, so that bytes that were just written are copied again. */
function copyWithin(out: Buffer, at: number, distance: number, length: number): void {
  if (distance >= length) {
    out.copyWithin(at, at - distance, at - distance + length)
    return
  }
  for (let i = at; i < at + length; i++) out[i] = out[i - distance] as number
}
