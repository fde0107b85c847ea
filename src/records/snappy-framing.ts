import { loadOptionalModule } from '../base/optional-module.ts'
import { type Cursor, MALFORMED, readUvarint } from '../base/varint.ts'
import { CorruptRecordError } from './corrupt-record-error.ts'

/**
 * Snappy as Kafka has it: the Java client writes xerial framing (header, then blocks with an int32
 * length), librdkafka writes one raw block. Both are read, xerial is written.
 * Source: snappy-java SnappyOutputStream; Snappy format description.
 */

/** 0x82 "SNAPPY" 0, then version 1 and lowest compatible version 1. */
const XERIAL_HEADER = Buffer.from('82534e4150505900' + '00000001' + '00000001', 'hex')
const MAGIC_BYTES = 8
/** The first four bytes of the magic where a block length should be: a second stream follows. */
const MAGIC_AS_LENGTH = XERIAL_HEADER.readInt32BE(0)
/** snappy-java's default block. */
const BLOCK_BYTES = 32_768
/** A copy takes at least 2 bytes for 11 and 3 for 64, so no honest block grows more than this. */
const MAX_GROWTH = 22

/** One way to run the raw Snappy block format. */
export interface SnappyBlocks {
  compress(input: Buffer): Uint8Array
  /** Throws on bad bytes; `maxBytes` has been checked against the block's preamble. */
  uncompress(block: Buffer): Uint8Array
}

interface NativeSnappy {
  compressSync(input: Buffer): Buffer
  uncompressSync(input: Buffer, options: { asBuffer: true }): Buffer
}

interface PureSnappy {
  compress(input: Buffer): Uint8Array
  uncompress(input: Buffer): Uint8Array
}

/** The pure implementation (snappyjs), loaded when first asked for. */
export function pureSnappyBlocks(): SnappyBlocks {
  const pure = loadOptionalModule('snappyjs') as PureSnappy
  return {
    compress: (input) => pure.compress(input),
    uncompress: (block) => pure.uncompress(block),
  }
}

/** The native implementation when `loaded` is one, else the pure one. */
export function selectSnappyBlocks(loaded: unknown): SnappyBlocks {
  const native = loaded as Partial<NativeSnappy> | undefined
  const compressSync = native?.compressSync
  const uncompressSync = native?.uncompressSync
  if (compressSync === undefined || uncompressSync === undefined) return pureSnappyBlocks()
  return {
    compress: (input) => compressSync(input),
    uncompress: (block) => uncompressSync(block, { asBuffer: true }),
  }
}

let chosen: SnappyBlocks | undefined

/** The native implementation where it is installed, else the pure one. */
export function snappyBlocks(): SnappyBlocks {
  chosen ??= selectSnappyBlocks(loadOptionalModule('snappy'))
  return chosen
}

/** Compresses to xerial framing, as the Java client does. */
export function snappyCompress(input: Buffer, blocks: SnappyBlocks = snappyBlocks()): Buffer {
  const pieces: Uint8Array[] = [XERIAL_HEADER]
  for (let at = 0; at < input.length; at += BLOCK_BYTES) {
    const block = blocks.compress(input.subarray(at, at + BLOCK_BYTES))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(block.length)
    pieces.push(length, block)
  }
  return Buffer.concat(pieces)
}

/**
 * Decompresses xerial framing or one raw block.
 * @throws CorruptRecordError for bad bytes, and with `isTooLarge` beyond `maxBytes`
 */
export function snappyDecompress(
  input: Buffer,
  maxBytes: number,
  blocks: SnappyBlocks = snappyBlocks(),
): Buffer {
  const isXerial =
    input.length >= XERIAL_HEADER.length &&
    input.compare(XERIAL_HEADER, 0, MAGIC_BYTES, 0, MAGIC_BYTES) === 0
  const pieces: Uint8Array[] = []
  if (isXerial) uncompressXerial(input, maxBytes, blocks, pieces)
  else uncompressBlock(input, 0, input.length, maxBytes, blocks, pieces)
  const only = pieces[0]
  return pieces.length === 1 && Buffer.isBuffer(only) ? only : Buffer.concat(pieces)
}

function uncompressXerial(
  input: Buffer,
  maxBytes: number,
  blocks: SnappyBlocks,
  pieces: Uint8Array[],
): void {
  let at = XERIAL_HEADER.length
  let rest = maxBytes
  while (at < input.length) {
    if (at + 4 > input.length) throw new CorruptRecordError('snappy data ends in a block length')
    const length = input.readInt32BE(at)
    if (length === MAGIC_AS_LENGTH) {
      at += XERIAL_HEADER.length
      continue
    }
    const end = at + 4 + length
    if (length < 0 || end > input.length) {
      throw new CorruptRecordError('snappy data has a block that does not fit')
    }
    rest -= uncompressBlock(input, at + 4, end, rest, blocks, pieces)
    at = end
  }
}

const cursor: Cursor = { position: 0 }

/** Appends the block's bytes to `pieces` and returns how many they are. */
function uncompressBlock(
  input: Buffer,
  start: number,
  end: number,
  maxBytes: number,
  blocks: SnappyBlocks,
  pieces: Uint8Array[],
): number {
  cursor.position = start
  const claimed = readUvarint(input, cursor, end)
  // A preamble is only a claim: without this check ten bytes could ask for 4 GiB.
  if (cursor.position === MALFORMED || claimed > (end - start) * MAX_GROWTH) {
    throw new CorruptRecordError('snappy data has a block with an impossible length')
  }
  if (claimed > maxBytes) {
    throw new CorruptRecordError('snappy data decompresses to more bytes than allowed', {
      isTooLarge: true,
    })
  }
  try {
    pieces.push(blocks.uncompress(input.subarray(start, end)))
  } catch (cause) {
    throw new CorruptRecordError(`snappy data is corrupt: ${(cause as Error).message}`, { cause })
  }
  return claimed
}
