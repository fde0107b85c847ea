import { Reader } from '../../schema/reader.ts'
import { Writer } from '../../schema/writer.ts'

/** Decoding and encoding are synchronous, so one reader and one small writer serve all records. */
const reader = new Reader()
const writer = new Writer(4096)

/**
 * Decodes a key or value; byte fields of the result are views of `bytes`.
 * @throws ProtocolError when the bytes are cut, malformed or too many
 */
export function decodeWhole<T>(bytes: Buffer, decode: (reader: Reader) => T): T {
  reader.reset(bytes)
  const value = decode(reader)
  reader.expectEnd()
  return value
}

/** Encodes a key or value into a buffer of exactly its size, which the caller owns. */
export function encodeWhole(encode: (writer: Writer) => void): Buffer {
  try {
    encode(writer)
  } catch (error) {
    writer.discard()
    throw error
  }
  return Buffer.concat(writer.finish())
}
