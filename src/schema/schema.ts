/**
 * The language of the message files: what is on the wire, in which versions, and nothing else.
 * Static types follow from it (`Decoded`, `Encodable`); codec.ts turns it into functions.
 * The words are those of Kafka's message definitions (KIP-482 for tags and compact lengths).
 */
import { ZERO_UUID } from './reader.ts'
import type { RecordPieces } from './writer.ts'

export type Primitive =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'float64'
  | 'int64'
  | 'int64Saturated'
  | 'int64Bigint'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'

type FieldType = Primitive | { readonly items: AnyField } | { readonly fields: Fields }

export interface Facts {
  readonly type: FieldType
  /** First and last version that has the field. */
  readonly since: number
  readonly until: number
  /** First version that may carry null; Infinity: never. */
  readonly nullableSince: number
  /** What a reader gets when the version lacks the field, and a writer may leave out. */
  readonly default: unknown
  /** The default may be left out when encoding. */
  readonly optional: boolean
  /** Written after the body, under this number, and only when it is not the default. */
  readonly tag: number | undefined
  /** May be dropped silently in a version that lacks it; otherwise the encoder refuses. */
  readonly ignorable: boolean
  /** RequestHeader.clientId keeps its old length encoding in flexible versions. */
  readonly neverCompact: boolean
}

/** `D` is what a decoder returns, `E` what an encoder takes, `O` whether it may be left out. */
export class Field<D, E = D, O extends boolean = false> {
  declare readonly decoded: D
  declare readonly encodable: E
  declare readonly optional: O
  readonly facts: Facts

  constructor(facts: Facts) {
    this.facts = facts
  }

  since(version: number): Field<D, E, true> {
    return this.#with({ since: version, optional: true })
  }

  until(version: number): Field<D, E, true> {
    return this.#with({ until: version, optional: true })
  }

  default(value: D): Field<D, E, true> {
    return this.#with({ default: value, optional: true })
  }

  /** May be null on the wire from `version` on, but has to be given. */
  nullable(version: number = 0): Field<D | null, E | null, O> {
    return this.#with({ nullableSince: version })
  }

  /** May be null on the wire from `version` on, and is null when left out. */
  orNull(version: number = 0): Field<D | null, E | null, true> {
    return this.#with({ nullableSince: version, default: null, optional: true })
  }

  tagged(tag: number): Field<D, E, true> {
    return this.#with({ tag, optional: true })
  }

  /** Has to be given although it has a default, which means something else than leaving it out. */
  required(): Field<D, E> {
    return this.#with({ optional: false })
  }

  ignorable(): Field<D, E, true> {
    return this.#with({ ignorable: true, optional: true })
  }

  neverCompact(): Field<D, E, O> {
    return this.#with({ neverCompact: true })
  }

  #with<D2, E2, O2 extends boolean>(change: Partial<Facts>): Field<D2, E2, O2> {
    return new Field({ ...this.facts, ...change })
  }
}

export type AnyField = Field<unknown, unknown, boolean>
export type Fields = Readonly<Record<string, AnyField>>

/**
 * Every field is there in every version, so handlers see one object shape.
 * (`extends infer` makes editors print the fields instead of this type's name.)
 */
export type DecodedFields<F extends Fields> = F extends infer G extends Fields
  ? { readonly [K in keyof G]: G[K]['decoded'] }
  : never

/** Fields with a default may be left out. */
export type EncodableFields<F extends Fields> = F extends infer G extends Fields
  ? Flatten<RequiredFields<G> & OptionalFields<G>>
  : never

type RequiredFields<F extends Fields> = {
  readonly [K in keyof F as F[K]['optional'] extends true ? never : K]: F[K]['encodable']
}
type OptionalFields<F extends Fields> = {
  readonly [K in keyof F as F[K]['optional'] extends true ? K : never]?:
    | F[K]['encodable']
    | undefined
}
type Flatten<T> = T extends infer U ? { [K in keyof U]: U[K] } : never

/** Above its uses: constants initialise in file order. */
const BASE = {
  since: 0,
  until: Number.POSITIVE_INFINITY,
  nullableSince: Number.POSITIVE_INFINITY,
  optional: false,
  tag: undefined,
  ignorable: false,
  neverCompact: false,
} as const

export const bool: Field<boolean> = primitive('bool', false)
export const int8: Field<number> = primitive('int8', 0)
export const int16: Field<number> = primitive('int16', 0)
export const uint16: Field<number> = primitive('uint16', 0)
export const int32: Field<number> = primitive('int32', 0)
export const uint32: Field<number> = primitive('uint32', 0)
export const float64: Field<number> = primitive('float64', 0)
/** A safe integer; a peer that sends more is refused. */
export const int64: Field<number> = primitive('int64', 0)
/** For "no limit" values: clamped to the safe range, the ends stand for the int64 ends. */
export const int64Saturated: Field<number> = primitive('int64Saturated', 0)
/** For full 64-bit hashes, which no number can hold. */
export const int64Bigint: Field<bigint> = primitive('int64Bigint', 0n)
/** 22 characters base64url, as Kafka prints it. */
export const uuid: Field<string> = primitive('uuid', ZERO_UUID)
export const string: Field<string> = primitive('string', '')
/** A view of the request buffer: copy it to keep it past the request. */
export const bytes: Field<Buffer> = primitive('bytes', Buffer.alloc(0))
/**
 * Record batches. Decoded as a view of the request buffer; encoded from one buffer or from the
 * pieces a log read returned, which are sent by reference.
 */
export const records: Field<Buffer, Buffer | RecordPieces> = primitive('records', Buffer.alloc(0))

export function struct<F extends Fields>(fields: F): Field<DecodedFields<F>, EncodableFields<F>> {
  return new Field({ ...BASE, type: { fields }, default: undefined })
}

export function array<D, E, O extends boolean>(
  items: Field<D, E, O>,
): Field<readonly D[], readonly E[]> {
  return new Field({ ...BASE, type: { items }, default: [] })
}

/** An array of structs, the usual case. */
export function list<F extends Fields>(
  fields: F,
): Field<readonly DecodedFields<F>[], readonly EncodableFields<F>[]> {
  return array(struct(fields))
}

/** One request, response or record: its fields in all its versions. */
export interface Message<F extends Fields = Fields> {
  readonly name: string
  readonly fields: F
  readonly versions: readonly [first: number, last: number]
  /** First version with compact lengths and tagged fields; Infinity: none. */
  readonly flexibleSince: number
}

/** One API key: its request and its response share their versions. */
export interface Api<Req extends Fields = Fields, Res extends Fields = Fields> {
  readonly key: number
  readonly name: string
  readonly versions: readonly [first: number, last: number]
  readonly latestUnstable: boolean
  readonly request: Message<Req>
  readonly response: Message<Res>
}

/** What a decoder of the message returns: every field, absent ones with their default. */
export type Decoded<M extends Message> = DecodedFields<M['fields']>
/** What an encoder of the message takes: fields with a default may be left out. */
export type Encodable<M extends Message> = EncodableFields<M['fields']>

export interface ApiFacts<Req extends Fields, Res extends Fields> {
  readonly key: number
  readonly name: string
  readonly versions: readonly [first: number, last: number]
  readonly flexibleSince?: number
  /** The last version is not advertised unless the operator asks for unstable versions. */
  readonly latestUnstable?: boolean
  readonly request: Req
  readonly response: Res
}

/** Describes one API key; `export const xApi = api({...})` in wire/kafka/messages. */
export function api<Req extends Fields, Res extends Fields>(
  facts: ApiFacts<Req, Res>,
): Api<Req, Res> {
  const { key, name, versions, latestUnstable = false } = facts
  const { flexibleSince = Number.POSITIVE_INFINITY } = facts
  const message = <F extends Fields>(suffix: string, fields: F): Message<F> => ({
    name: name + suffix,
    fields,
    versions,
    flexibleSince,
  })
  return {
    key,
    name,
    versions,
    latestUnstable,
    request: message('Request', facts.request),
    response: message('Response', facts.response),
  }
}

/** A message that is no request or response: a header, or a record of an internal topic. */
export function message<F extends Fields>(facts: {
  readonly name: string
  readonly versions: readonly [first: number, last: number]
  readonly flexibleSince?: number
  readonly fields: F
}): Message<F> {
  return { flexibleSince: Number.POSITIVE_INFINITY, ...facts }
}

function primitive<D, E = D>(type: Primitive, zero: D): Field<D, E> {
  return new Field({ ...BASE, type, default: zero })
}
