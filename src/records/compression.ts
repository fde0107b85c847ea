import {
  constants,
  gunzipSync,
  gzipSync,
  type ZlibOptions,
  type ZstdOptions,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import { CorruptRecordError } from './corrupt-record-error.ts'
import { lz4Compress, lz4CompressHigh, lz4Decompress } from './lz4-frame.ts'
import { Codec } from './record-batch.ts'
import { snappyCompress, snappyDecompress } from './snappy-framing.ts'

/**
 * What one batch may take in memory when it is decompressed, unless the caller says otherwise: as
 * much as the largest request (`socket.request.max.bytes`) could have carried uncompressed. Kafka's
 * `max.decompressed.message.bytes` is 2 GiB, which one small request could make us allocate.
 */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 104_857_600

/** Levels of `compression.<codec>.level` (KIP-390): lowest, highest and default. */
export const COMPRESSION_LEVELS = {
  gzip: { min: 1, max: 9, default: constants.Z_DEFAULT_COMPRESSION },
  /** As in Kafka, the default is the fast compressor; others search more, the higher the longer. */
  lz4: { min: 1, max: 17, default: 9 },
  zstd: { min: -131072, max: 22, default: 3 },
} as const

/** Kafka's names (`compression.type`) of the codecs, by id. */
export const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** zlib's working memory per chunk; a batch is usually below it, so one allocation is enough. */
const CHUNK_BYTES = 65_536

/**
 * Compresses the records of a batch as Kafka's Java client does (snappy with xerial framing).
 * @param level as in COMPRESSION_LEVELS; left out = the codec's default
 */
export function compress(codec: Codec, input: Buffer, level?: number): Buffer {
  switch (codec) {
    case Codec.NONE:
      return input
    case Codec.GZIP:
      return gzipSync(input, { level: level ?? COMPRESSION_LEVELS.gzip.default })
    case Codec.SNAPPY:
      return snappyCompress(input)
    case Codec.LZ4:
      return level === undefined || level === COMPRESSION_LEVELS.lz4.default
        ? lz4Compress(input)
        : lz4CompressHigh(input, level)
    case Codec.ZSTD:
      return zstdCompressSync(input, {
        params: {
          [constants.ZSTD_c_compressionLevel]: level ?? COMPRESSION_LEVELS.zstd.default,
        },
      })
  }
}

/**
 * Decompresses the records of a batch. Memory stays below `maxBytes` whatever the input claims.
 * With codec none the input itself comes back.
 * @throws CorruptRecordError for bad bytes, and with `isTooLarge` beyond `maxBytes`
 */
export function decompress(codec: Codec, input: Buffer, maxBytes: number): Buffer {
  switch (codec) {
    case Codec.NONE:
      if (input.length > maxBytes) throw tooLarge(codec, maxBytes)
      return input
    case Codec.GZIP:
      return unzip(codec, gunzipSync, input, maxBytes)
    case Codec.SNAPPY:
      return snappyDecompress(input, maxBytes)
    case Codec.LZ4:
      return lz4Decompress(input, maxBytes)
    case Codec.ZSTD:
      return unzip(codec, zstdDecompressSync, input, maxBytes)
  }
}

type Unzip = (input: Buffer, options: ZlibOptions & ZstdOptions) => Buffer

function unzip(codec: Codec, run: Unzip, input: Buffer, maxBytes: number): Buffer {
  try {
    return run(input, { maxOutputLength: Math.max(1, maxBytes), chunkSize: CHUNK_BYTES })
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(codec, maxBytes)
    }
    const reason = (cause as Error).message
    throw new CorruptRecordError(`${CODEC_NAMES[codec]} data is corrupt: ${reason}`, { cause })
  }
}

function tooLarge(codec: Codec, maxBytes: number): CorruptRecordError {
  const text = `${CODEC_NAMES[codec]} data decompresses to more than ${maxBytes} bytes`
  return new CorruptRecordError(text, { isTooLarge: true })
}
