/**
 * Records of the coordinators' topics: `__consumer_offsets`, `__transaction_state` and
 * `__share_group_state`. A key is an int16 record type and a struct; a value is an int16 version
 * and a struct; no value is a tombstone.
 * Source: CoordinatorRecordSerde, kafka-coordinator-common 4.4.
 */
import { ProtocolError } from '../../base/errors.ts'
import { decoderOf, encoderOf } from '../../schema/codec.ts'
import type { Reader } from '../../schema/reader.ts'
import {
  type DecodedFields,
  type Encodable,
  type Fields,
  type Message,
  message,
} from '../../schema/schema.ts'
import { decodeWhole, encodeWhole } from './encoding.ts'

export interface CoordinatorRecordType<
  N extends string = string,
  K extends Fields = Fields,
  V extends Fields = Fields,
> {
  readonly name: N
  /** First in the key. */
  readonly type: number
  readonly key: Message<K>
  readonly value: Message<V>
}

/** A decoded record; `value` is null for a tombstone. `name` says which type it is. */
export type CoordinatorRecord<T extends CoordinatorRecordType> =
  T extends CoordinatorRecordType<infer N, infer K, infer V>
    ? {
        readonly name: N
        readonly key: DecodedFields<K>
        readonly value: DecodedFields<V> | null
      }
    : never

export interface CoordinatorRecordFacts<N extends string, K extends Fields, V extends Fields> {
  readonly type: number
  readonly name: N
  /** Of the value; keys have version 0 only. */
  readonly versions: readonly [first: number, last: number]
  readonly flexibleSince?: number
  readonly key: K
  readonly value: V
}

/** Describes one type of record. */
export function coordinatorRecord<N extends string, K extends Fields, V extends Fields>(
  facts: CoordinatorRecordFacts<N, K, V>,
): CoordinatorRecordType<N, K, V> {
  const { type, name, versions } = facts
  const { flexibleSince = Number.POSITIVE_INFINITY } = facts
  return {
    name,
    type,
    key: message({ name: `${name}Key`, versions: [0, 0], fields: facts.key }),
    value: message({ name: `${name}Value`, versions, flexibleSince, fields: facts.value }),
  }
}

export function encodeCoordinatorKey<T extends CoordinatorRecordType>(
  { type, key }: T,
  fields: Encodable<T['key']>,
): Buffer {
  return encodeWhole((writer) => {
    writer.int16(type)
    encoderOf(key)(0)(writer, fields)
  })
}

/**
 * @param version what Kafka 4.4 writes is said at each record type that has several
 * @throws RangeError when the type has no such version, or the version lacks a field you give
 */
export function encodeCoordinatorValue<T extends CoordinatorRecordType>(
  { value }: T,
  version: number,
  fields: Encodable<T['value']>,
): Buffer {
  return encodeWhole((writer) => {
    writer.int16(version)
    encoderOf(value)(version)(writer, fields)
  })
}

/**
 * Decodes records of one topic. Byte fields are views of the buffers given: copy them to keep them.
 * The decoder returns undefined for a type it does not know, which Kafka skips too: a newer broker
 * may have written it. It throws ProtocolError when the bytes are malformed or newer than known.
 */
export function coordinatorRecordDecoder<T extends CoordinatorRecordType>(
  types: readonly T[],
): (key: Buffer, value: Buffer | null) => CoordinatorRecord<T> | undefined {
  const byType = new Map(types.map((type) => [type.type, type]))
  return (key, value) => {
    const type = byType.get(decodeType(key))
    if (type === undefined) return undefined
    const decoded = {
      name: type.name,
      key: decodeWhole(key, (reader) => decodeKey(reader, type)),
      value: value === null ? null : decodeWhole(value, (reader) => decodeValue(reader, type)),
    }
    return decoded as CoordinatorRecord<T>
  }
}

function decodeType(key: Buffer): number {
  if (key.byteLength < 2) throw new ProtocolError('record key has no type')
  return key.readInt16BE(0)
}

function decodeKey(reader: Reader, type: CoordinatorRecordType): unknown {
  reader.int16()
  return decoderOf(type.key)(0)(reader)
}

function decodeValue(reader: Reader, { value }: CoordinatorRecordType): unknown {
  const version = reader.int16()
  checkVersion(value, version)
  return decoderOf(value)(version)(reader)
}

/** Data from a newer broker, not a mistake of ours: `layoutOf` would call it a RangeError. */
export function checkVersion({ name, versions: [first, last] }: Message, version: number): void {
  if (version < first || version > last)
    throw new ProtocolError(`${name} has versions ${first} to ${last}, not ${version}`)
}
