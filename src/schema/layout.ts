import type { AnyField, Facts, Fields, Message, Primitive } from './schema.ts'

/** One message in one version; code is compiled when a peer first uses that version. */
export interface Layout {
  readonly name: string
  readonly fields: Fields
  readonly version: number
  readonly flexible: boolean
}

/** @throws RangeError when the message has no such version: check it before you ask */
export function layoutOf(message: Message, version: number): Layout {
  const [first, last] = message.versions
  if (!Number.isInteger(version) || version < first || version > last)
    throw new RangeError(`${message.name} has versions ${first} to ${last}, not ${version}`)
  const { name, fields, flexibleSince } = message
  return { name, fields, version, flexible: version >= flexibleSince }
}

export function isPresent({ facts }: AnyField, layout: Layout): boolean {
  return layout.version >= facts.since && layout.version <= facts.until
}

export function isInBody(field: AnyField, layout: Layout): boolean {
  return isPresent(field, layout) && field.facts.tag === undefined
}

export function isNullable(facts: Facts, layout: Layout): boolean {
  return layout.version >= facts.nullableSince
}

/** A tagged struct that may be null starts with a uvarint 0 or 1; one in the body with an int8. */
export function isTaggedNullableStruct({ facts }: AnyField, layout: Layout): boolean {
  const { type, tag } = facts
  const isStruct = typeof type === 'object' && 'fields' in type
  return isStruct && tag !== undefined && isNullable(facts, layout)
}

/** In the order of their numbers, as they are written. */
export function taggedFields(fields: Fields, layout: Layout): [string, AnyField][] {
  return Object.entries(fields)
    .filter(([, field]) => isPresent(field, layout) && field.facts.tag !== undefined)
    .sort(([, a], [, b]) => (a.facts.tag ?? 0) - (b.facts.tag ?? 0))
}

export function primitiveMethod(type: Primitive, facts: Facts, layout: Layout): string {
  if (!isVariable(type)) return type
  const compact = layout.flexible && !facts.neverCompact
  const nullable = isNullable(facts, layout)
  const words = [...(compact ? ['compact'] : []), ...(nullable ? ['nullable'] : []), type]
  return camelCase(words)
}

export function countMethod(layout: Layout, nullable: boolean): string {
  const words = [
    ...(layout.flexible ? ['compact'] : []),
    ...(nullable ? ['nullable'] : []),
    'count',
  ]
  return camelCase(words)
}

type VariablePrimitive = 'string' | 'bytes' | 'records'

function isVariable(type: Primitive): type is VariablePrimitive {
  return type === 'string' || type === 'bytes' || type === 'records'
}

const FIXED_BYTES: Record<Exclude<Primitive, VariablePrimitive>, number> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  float64: 8,
  int64: 8,
  int64Saturated: 8,
  int64Bigint: 8,
  uuid: 16,
}

/** The fewest bytes a value can take: bounds how many elements the rest can hold. */
export function minBytes({ facts }: AnyField, layout: Layout): number {
  const { type } = facts
  const compact = layout.flexible && !facts.neverCompact
  if (type === 'string') return compact ? 1 : 2
  if (type === 'bytes' || type === 'records') return compact ? 1 : 4
  if (typeof type === 'string') return FIXED_BYTES[type]
  if ('items' in type) return layout.flexible ? 1 : 4
  return isNullable(facts, layout) ? 1 : minStructBytes(type.fields, layout)
}

function minStructBytes(fields: Fields, layout: Layout): number {
  const body = Object.values(fields).filter((field) => isInBody(field, layout))
  const bytes = body.reduce((sum, field) => sum + minBytes(field, layout), layout.flexible ? 1 : 0)
  if (bytes === 0) throw new Error('an element of no bytes would make its count unbounded')
  return bytes
}

function camelCase(words: readonly string[]): string {
  return words.map((word, i) => (i === 0 ? word : word[0]?.toUpperCase() + word.slice(1))).join('')
}
