import { compress, decompress } from '../records/compression.ts'
import { Codec } from '../records/record-batch.ts'

/** Compression of record batches for client libraries that leave it to others. */
export interface CompressionCodec {
  compress(content: Buffer): Buffer
  decompress(content: Buffer): Buffer
}

const CODECS = { Snappy: Codec.SNAPPY, LZ4: Codec.LZ4, ZSTD: Codec.ZSTD } as const

/** A client that reads its own batches trusts them further than a broker does. */
const MAX_DECOMPRESSED_BYTES = 256 * 1024 * 1024

export function compressionCodec(name: keyof typeof CODECS): CompressionCodec {
  const codec = CODECS[name]
  return {
    compress: (content) => Buffer.from(compress(codec, content)),
    decompress: (content) => Buffer.from(decompress(codec, content, MAX_DECOMPRESSED_BYTES)),
  }
}
