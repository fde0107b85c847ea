import { loadOptionalModule } from '../base/optional-module.ts'
import { CorruptRecordError } from './corrupt-record-error.ts'
import { lz4BlockLength, lz4LastMatchStart } from './lz4-block.ts'
import { compressLz4BlockHigh, lz4BlockBound } from './lz4-high-compression.ts'

/**
 * LZ4 frames as Kafka's record format v2 has them: magic, descriptor, independent blocks, end mark.
 * The frame is walked here before anything is decompressed, so that the size is known and bounded;
 * Kafka's readers refuse dependent blocks, so they are refused here too.
 * Source: LZ4 frame format 1.6; KIP-57.
 */

const FRAME_MAGIC = 0x184d2204
const VERSION_BITS = 0xc0
const VERSION_1 = 0x40
const INDEPENDENT_BIT = 0x20
const BLOCK_CHECKSUM_BIT = 0x10
const CONTENT_SIZE_BIT = 0x08
const CONTENT_CHECKSUM_BIT = 0x04
const DICTIONARY_BIT = 0x01
const STORED_BIT = 0x8000_0000
/** Ids of the largest size that blocks may have: 64 KiB, 256 KiB, 1 MiB, 4 MiB. */
const SMALLEST_BLOCK_ID = 4
const LARGEST_BLOCK_ID = 7
/** No byte of a block makes more bytes. */
const MAX_EXPANSION = 255

/** One way to run whole frames; a reader gets the exact size, checked before. */
export interface Lz4Frames {
  compress(input: Buffer): Buffer
  decompress(input: Buffer, frame: Lz4Frame): Buffer
  /** Decompresses the block `input[start, end)`; an error when it makes more than `maxBytes`. */
  decompressBlock?(input: Buffer, start: number, end: number, maxBytes: number): Buffer
}

/** What a frame says of itself. */
interface Lz4Descriptor {
  readonly flags: number
  readonly maxBlockBytes: number
  readonly firstBlockPosition: number
  /** Bytes that it says it decompresses to, -1 when it does not. */
  readonly claimedBytes: number
}

/** What the walk over a frame found. */
interface Lz4Frame {
  readonly flags: number
  readonly firstBlockPosition: number
  /** Bytes that it decompresses to. */
  readonly contentBytes: number
  readonly endMarkPosition: number
}

interface NativeLz4 {
  compressFrameSync(input: Buffer): Buffer
  decompressFrameSync(input: Buffer): Buffer
  /** Takes a block behind the number of bytes that it decompresses to at most. */
  uncompressSync(input: Buffer): Buffer
}

interface PureLz4 {
  compressBlock(from: Buffer, to: Uint8Array, at: number, size: number, table: Uint32Array): number
  decompressBlock(from: Buffer, to: Uint8Array, at: number, size: number, toAt: number): number
}

type Xxh32 = (seed: number, input: Uint8Array, position: number, length: number) => number

let xxh32Loaded: Xxh32 | undefined

function xxh32(input: Uint8Array, position: number, length: number): number {
  xxh32Loaded ??= (loadOptionalModule('lz4js/xxh32.js') as { hash: Xxh32 }).hash
  return xxh32Loaded(0, input, position, length) >>> 0
}

/** The native implementation when `loaded` is one, else the pure one. */
export function selectLz4Frames(loaded: unknown): Lz4Frames {
  const native = loaded as Partial<NativeLz4> | undefined
  const compressFrame = native?.compressFrameSync
  const decompressFrame = native?.decompressFrameSync
  const decompressBlock = native?.uncompressSync
  if (compressFrame === undefined || decompressFrame === undefined) return pureLz4Frames()
  return {
    compress: (input) => compressFrame(input),
    decompress: (input) => decompressFrame(input),
    ...(decompressBlock !== undefined && {
      decompressBlock: (input, start, end, maxBytes) => {
        const block = Buffer.allocUnsafe(4 + end - start)
        block.writeUInt32LE(maxBytes)
        input.copy(block, 4, start, end)
        return decompressBlock(block)
      },
    }),
  }
}

/** The pure implementation: our frame around the blocks of lz4js. */
export function pureLz4Frames(): Lz4Frames {
  const blocks = loadOptionalModule('lz4js') as PureLz4
  const table = new Uint32Array(65_536)
  const compressFast = (from: Buffer, to: Buffer): number => {
    // A table that remembers the block before would make this one depend on it.
    table.fill(0)
    const size = blocks.compressBlock(from, to, 0, from.length, table)
    return isStrict(to.subarray(0, size), from.length) ? size : 0
  }
  return {
    // 64 KiB blocks, as the Java client writes them.
    compress: (input) => compressBlocks(compressFast, SMALLEST_BLOCK_ID, input),
    decompress: (input, frame) => decompressBlocks(blocks, input, frame),
  }
}

let chosen: Lz4Frames | undefined

function defaultFrames(): Lz4Frames {
  chosen ??= selectLz4Frames(loadOptionalModule('lz4-napi'))
  return chosen
}

/** Compresses to one frame of independent blocks. */
export function lz4Compress(input: Buffer, frames: Lz4Frames = defaultFrames()): Buffer {
  return frames.compress(input)
}

/** Levels outside search as these: above, a MiB of bad luck takes seconds and wins a percent. */
const LOWEST_LEVEL = 2
const HIGHEST_LEVEL = 10

/** The same, but slower and smaller: each level looks at twice as many places as the one below. */
export function lz4CompressHigh(input: Buffer, level: number): Buffer {
  const maxAttempts = 1 << (Math.max(LOWEST_LEVEL, Math.min(level, HIGHEST_LEVEL)) - 1)
  const compressBlock = (from: Buffer, to: Buffer) => compressLz4BlockHigh(from, to, maxAttempts)
  // Each block begins without a past to match with, so few large ones are smaller.
  let blockId = SMALLEST_BLOCK_ID
  while (blockBytesOf(blockId) < input.length && blockId < LARGEST_BLOCK_ID) blockId++
  return compressBlocks(compressBlock, blockId, input)
}

const blockBytesOf = (blockId: number): number => 1 << (8 + 2 * blockId)

/**
 * Decompresses one frame, with or without content size and checksums.
 * @throws CorruptRecordError for bad bytes, and with `isTooLarge` beyond `maxBytes`
 */
export function lz4Decompress(
  input: Buffer,
  maxBytes: number,
  frames: Lz4Frames = defaultFrames(),
): Buffer {
  const descriptor = readDescriptor(input)
  const { claimedBytes, firstBlockPosition, maxBlockBytes } = descriptor
  const { decompressBlock } = frames
  const end = onlyBlockEnd(input, descriptor)
  // What a block alone makes is bounded anyhow, as nearly all batches are: no walk is needed.
  if (decompressBlock !== undefined && end > 0 && maxBlockBytes <= maxBytes) {
    const start = firstBlockPosition + 4
    const limit = Math.min(maxBlockBytes, MAX_EXPANSION * (end - start))
    const run = () => decompressBlock(input, start, end, limit)
    return expectBytes(refuseCorrupt(run), claimedBytes < 0 ? null : claimedBytes)
  }
  const frame = walkBlocks(input, descriptor, maxBytes)
  if (claimedBytes >= 0 && claimedBytes !== frame.contentBytes) throw corrupt('wrong content size')
  return expectBytes(
    refuseCorrupt(() => frames.decompress(input, frame)),
    frame.contentBytes,
  )
}

function refuseCorrupt(decompress: () => Buffer): Buffer {
  try {
    return decompress()
  } catch (cause) {
    if (cause instanceof CorruptRecordError) throw cause
    throw new CorruptRecordError(`lz4 data is corrupt: ${(cause as Error).message}`, { cause })
  }
}

function expectBytes(output: Buffer, byteCount: number | null): Buffer {
  if (byteCount !== null && output.length !== byteCount)
    throw corrupt('its blocks give another length')
  return output
}

function readDescriptor(input: Buffer): Lz4Descriptor {
  if (input.length < 7 || input.readUInt32LE(0) !== FRAME_MAGIC) throw corrupt('no frame magic')
  const flags = input[4] as number
  if ((flags & VERSION_BITS) !== VERSION_1) throw corrupt('unknown frame version')
  if ((flags & INDEPENDENT_BIT) === 0) throw corrupt('dependent blocks are not supported by Kafka')
  if ((flags & DICTIONARY_BIT) !== 0) throw corrupt('dictionaries are not supported by Kafka')
  const blockId = ((input[5] as number) >> 4) & 7
  if (blockId < SMALLEST_BLOCK_ID) throw corrupt('unknown block size')
  const hasContentSize = (flags & CONTENT_SIZE_BIT) !== 0
  const descriptorEnd = hasContentSize ? 14 : 6
  if (descriptorEnd >= input.length) throw corrupt('cut in its descriptor')
  const headerChecksum = (xxh32(input, 4, descriptorEnd - 4) >>> 8) & 0xff
  if (input[descriptorEnd] !== headerChecksum) throw corrupt('wrong descriptor checksum')
  return {
    flags,
    maxBlockBytes: blockBytesOf(blockId),
    firstBlockPosition: descriptorEnd + 1,
    claimedBytes: hasContentSize
      ? input.readUInt32LE(6) + input.readUInt32LE(10) * 0x1_0000_0000
      : -1,
  }
}

/** Where the block ends if it is the only one, compressed, and without any checksum; else -1. */
function onlyBlockEnd(input: Buffer, descriptor: Lz4Descriptor): number {
  const { flags, firstBlockPosition, maxBlockBytes } = descriptor
  if ((flags & (BLOCK_CHECKSUM_BIT | CONTENT_CHECKSUM_BIT)) !== 0) return -1
  if (firstBlockPosition + 4 > input.length) return -1
  const size = input.readUInt32LE(firstBlockPosition)
  const end = firstBlockPosition + 4 + size
  if (size === 0 || size > maxBlockBytes || end + 4 > input.length) return -1
  return input.readUInt32LE(end) === 0 ? end : -1
}

function walkBlocks(
  input: Buffer,
  { flags, maxBlockBytes, firstBlockPosition }: Lz4Descriptor,
  maxBytes: number,
): Lz4Frame {
  let at = firstBlockPosition
  let contentBytes = 0
  for (;;) {
    if (at + 4 > input.length) throw corrupt('cut before its end mark')
    const field = input.readUInt32LE(at)
    if (field === 0) break
    const size = field & ~STORED_BIT
    const start = at + 4
    const end = start + size
    if (size > maxBlockBytes || end > input.length) throw corrupt('a block does not fit')
    const isStored = field >= STORED_BIT
    const length = isStored ? size : lz4BlockLength(input, start, end, maxBlockBytes)
    if (length < 0) throw corrupt('a block is malformed')
    contentBytes += length
    if (contentBytes > maxBytes) {
      throw new CorruptRecordError(`lz4 data decompresses to more than ${maxBytes} bytes`, {
        isTooLarge: true,
      })
    }
    at = end
    if ((flags & BLOCK_CHECKSUM_BIT) === 0) continue
    if (at + 4 > input.length) throw corrupt('cut in a block checksum')
    if (xxh32(input, start, size) !== input.readUInt32LE(at)) throw corrupt('wrong block checksum')
    at += 4
  }
  const hasChecksum = (flags & CONTENT_CHECKSUM_BIT) !== 0
  if (hasChecksum && at + 8 > input.length) throw corrupt('cut in its content checksum')
  return { flags, firstBlockPosition, contentBytes, endMarkPosition: at }
}

function decompressBlocks(blocks: PureLz4, input: Buffer, frame: Lz4Frame): Buffer {
  const output = Buffer.alloc(frame.contentBytes)
  const checksumBytes = (frame.flags & BLOCK_CHECKSUM_BIT) === 0 ? 0 : 4
  let written = 0
  for (let at = frame.firstBlockPosition; at < frame.endMarkPosition; ) {
    const field = input.readUInt32LE(at)
    const size = field & ~STORED_BIT
    if (field >= STORED_BIT) written += input.copy(output, written, at + 4, at + 4 + size)
    else written = blocks.decompressBlock(input, output, at + 4, size, written)
    at += 4 + size + checksumBytes
  }
  if ((frame.flags & CONTENT_CHECKSUM_BIT) !== 0) {
    const expected = input.readUInt32LE(frame.endMarkPosition + 4)
    if (xxh32(output, 0, output.length) !== expected) throw corrupt('wrong content checksum')
  }
  return output
}

/** @returns bytes written, 0 when the block is better stored as it is */
type CompressBlock = (from: Buffer, to: Buffer) => number

function compressBlocks(compressBlock: CompressBlock, blockId: number, input: Buffer): Buffer {
  const header = Buffer.alloc(7)
  header.writeUInt32LE(FRAME_MAGIC)
  header[4] = VERSION_1 | INDEPENDENT_BIT
  header[5] = blockId << 4
  header[6] = (xxh32(header, 4, 2) >>> 8) & 0xff
  const pieces: Uint8Array[] = [header]
  const blockBytes = blockBytesOf(blockId)
  for (let at = 0; at < input.length; at += blockBytes) {
    const from = input.subarray(at, at + blockBytes)
    const to = Buffer.alloc(lz4BlockBound(from.length))
    const size = compressBlock(from, to)
    const isUseful = size > 0 && size < from.length
    const body = isUseful ? to.subarray(0, size) : from
    const field = Buffer.alloc(4)
    field.writeUInt32LE(isUseful ? size : (body.length | STORED_BIT) >>> 0)
    pieces.push(field, body)
  }
  pieces.push(Buffer.alloc(4))
  return Buffer.concat(pieces)
}

/** The reference decoder wants no match to start in the last 12 bytes; lz4js does not know that. */
function isStrict(block: Buffer, length: number): boolean {
  return lz4LastMatchStart(block, 0, block.length) <= length - 12
}

function corrupt(reason: string): CorruptRecordError {
  return new CorruptRecordError(`lz4 data is corrupt: ${reason}`)
}
