import { crc32c } from '../../../../base/crc32c.ts'
import { type SnappyBlocks, snappyBlocks } from '../../../../records/snappy-framing.ts'

/**
 * Snappy's framing format, which readers of S2 take as well. Source: framing_format.txt of Snappy.
 */

const STREAM_IDENTIFIER = Buffer.from('ff060000734e61507059', 'hex')
const COMPRESSED = 0x00
const UNCOMPRESSED = 0x01
/** The most that one chunk may stand for. */
const BLOCK_BYTES = 65_536
const CHUNK_HEADER_BYTES = 4
const CRC_BYTES = 4
const CRC_MASK = 0xa282ead8
/** A block that gets smaller by less than an eighth is left as it is. */
const MIN_GAIN = 8

const NO_BYTES = Buffer.alloc(0)

/** Compresses a stream of bytes; holds back less than one block. */
export class SnapshotCompressor {
  readonly #blocks: SnappyBlocks
  #rest = NO_BYTES
  #hasStarted = false

  constructor(blocks: SnappyBlocks = snappyBlocks()) {
    this.#blocks = blocks
  }

  /** @returns what can be passed on by now */
  push(pieces: readonly Buffer[], isEnd: boolean): Buffer[] {
    const bytes = Buffer.concat([this.#rest, ...pieces])
    const out: Buffer[] = this.#hasStarted ? [] : [STREAM_IDENTIFIER]
    this.#hasStarted = true
    let at = 0
    while (bytes.byteLength - at >= BLOCK_BYTES || (isEnd && at < bytes.byteLength)) {
      const block = bytes.subarray(at, at + BLOCK_BYTES)
      out.push(...this.#chunkOf(block))
      at += block.byteLength
    }
    // The rest alone is kept, not all that came with it.
    this.#rest = Buffer.from(bytes.subarray(at))
    return out
  }

  #chunkOf(block: Buffer): Buffer[] {
    const smaller = this.#blocks.compress(block)
    const isSmaller = smaller.byteLength < block.byteLength - block.byteLength / MIN_GAIN
    const body = isSmaller
      ? Buffer.from(smaller.buffer, smaller.byteOffset, smaller.byteLength)
      : block
    const head = Buffer.allocUnsafe(CHUNK_HEADER_BYTES + CRC_BYTES)
    head[0] = isSmaller ? COMPRESSED : UNCOMPRESSED
    head.writeUIntLE(body.byteLength + CRC_BYTES, 1, 3)
    head.writeUInt32LE(maskedCrcOf(block), CHUNK_HEADER_BYTES)
    return [head, body]
  }
}

/** The CRC of bytes that may have CRCs in them. */
function maskedCrcOf(block: Buffer): number {
  const crc = crc32c(block, 0, block.byteLength)
  return (((crc >>> 15) | (crc << 17)) + CRC_MASK) >>> 0
}
