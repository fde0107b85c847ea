/**
 * Values of `__cluster_metadata`: uvarint frame version 1, uvarint record type, uvarint version,
 * struct. Keys are null.
 * Source: MetadataRecordSerde and AbstractApiMessageSerde, kafka-server-common 4.4.
 */
import { ProtocolError } from '../../base/errors.ts'
import { decoderOf, encoderOf } from '../../schema/codec.ts'
import type { Reader } from '../../schema/reader.ts'
import {
  type DecodedFields,
  type EncodableFields,
  type Fields,
  type Message,
  message,
} from '../../schema/schema.ts'
import { checkVersion } from './coordinator-record.ts'
import { decodeWhole, encodeWhole } from './encoding.ts'

const FRAME_VERSION = 1

export interface MetadataRecordType<N extends string = string, F extends Fields = Fields> {
  readonly name: N
  readonly type: number
  readonly value: Message<F>
}

/** A decoded record; `name` says which type it is, `version` in which version it was written. */
export type MetadataRecordOf<T extends MetadataRecordType> =
  T extends MetadataRecordType<infer N, infer F>
    ? { readonly name: N; readonly version: number; readonly value: DecodedFields<F> }
    : never

export interface MetadataRecordFacts<N extends string, F extends Fields> {
  readonly type: number
  readonly name: N
  readonly versions: readonly [first: number, last: number]
  readonly fields: F
}

/** Describes one type of record; all of them are flexible in every version. */
export function metadataRecord<N extends string, F extends Fields>(
  facts: MetadataRecordFacts<N, F>,
): MetadataRecordType<N, F> {
  const { type, name, versions, fields } = facts
  return { name, type, value: message({ name, versions, flexibleSince: 0, fields }) }
}

/** @throws RangeError when the type has no such version, or the version lacks a field you give */
export function encodeMetadataRecord<F extends Fields>(
  { type, value }: MetadataRecordType<string, F>,
  version: number,
  fields: EncodableFields<F>,
): Buffer {
  return encodeWhole((writer) => {
    writer.uvarint(FRAME_VERSION)
    writer.uvarint(type)
    writer.uvarint(version)
    encoderOf(value)(version)(writer, fields)
  })
}

/**
 * Decodes the values of the log. Byte fields are views of the buffer given.
 * The decoder throws ProtocolError for bytes that are malformed and for types and versions it does
 * not know: skipping a record would build wrong metadata.
 */
export function metadataRecordDecoder<T extends MetadataRecordType>(
  types: readonly T[],
): (value: Buffer) => MetadataRecordOf<T> {
  const byType = new Map(types.map((type) => [type.type, type]))
  return (value) => decodeWhole(value, (reader) => decodeFrame(reader, byType))
}

function decodeFrame<T extends MetadataRecordType>(
  reader: Reader,
  byType: ReadonlyMap<number, T>,
): MetadataRecordOf<T> {
  const frameVersion = reader.uvarint()
  if (frameVersion !== FRAME_VERSION)
    throw new ProtocolError(`metadata record has frame version ${frameVersion}, not 1`)
  const number = reader.uvarint()
  const type = byType.get(number)
  if (type === undefined) throw new ProtocolError(`metadata record type ${number} is not known`)
  const version = reader.uvarint()
  checkVersion(type.value, version)
  const value = decoderOf(type.value)(version)(reader)
  return { name: type.name, version, value } as unknown as MetadataRecordOf<T>
}
