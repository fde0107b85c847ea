/**
 * What front ends and tools need of the schema language: they decode and encode messages but
 * describe none, so they see these names only.
 */

export type { Decode, Encode } from '../../schema/codec.ts'
export { decoderOf, encoderOf } from '../../schema/codec.ts'
export { Reader, ZERO_UUID } from '../../schema/reader.ts'
export type { Api, Decoded, Encodable, Message } from '../../schema/schema.ts'
export { Writer } from '../../schema/writer.ts'
