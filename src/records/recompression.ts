import { compress, DEFAULT_MAX_DECOMPRESSED_BYTES } from './compression.ts'
import {
  ATTRIBUTES_POSITION,
  attributesOf,
  CODEC_MASK,
  type Codec,
  LENGTH_POSITION,
  LOG_OVERHEAD,
  patchCrc,
  RECORD_BATCH_OVERHEAD,
} from './record-batch.ts'
import { recordBytesOf } from './records-iterator.ts'

/**
 * The batch (alone in its buffer) with its records stored in another codec. Everything else in the
 * header stays; length and CRC are made to fit.
 * @throws CorruptRecordError when the records cannot be decompressed within the limit
 */
export function recompress(
  batch: Buffer,
  codec: Codec,
  level?: number,
  maxDecompressedBytes = DEFAULT_MAX_DECOMPRESSED_BYTES,
): Buffer {
  return recompressRecords(batch, recordBytesOf(batch, 0, maxDecompressedBytes), codec, level)
}

/** The same with the batch's records already decompressed in `plain`. */
export function recompressRecords(
  batch: Buffer,
  plain: Buffer,
  codec: Codec,
  level: number | undefined,
): Buffer {
  const body = compress(codec, plain, level)
  const result = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD + body.length)
  batch.copy(result, 0, 0, RECORD_BATCH_OVERHEAD)
  body.copy(result, RECORD_BATCH_OVERHEAD)
  result.writeInt32BE(result.length - LOG_OVERHEAD, LENGTH_POSITION)
  result.writeInt16BE((attributesOf(batch, 0) & ~CODEC_MASK) | codec, ATTRIBUTES_POSITION)
  patchCrc(result, 0)
  return result
}
