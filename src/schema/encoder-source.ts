import {
  isInBody,
  isNullable,
  isPresent,
  isTaggedNullableStruct,
  type Layout,
  primitiveMethod,
  taggedFields,
} from './layout.ts'
import type { AnyField, Fields } from './schema.ts'
import { absentValue, isDefault, type Place, Source } from './source.ts'

/** Source text of functions `(w: Writer, value) => void`, one per struct and array. */
export function encoderSource(layout: Layout): Source {
  const source = new Source()
  source.entry = structEncoder({ source, ...layout }, layout.name, layout.fields)
  return source
}

function structEncoder(place: Place, name: string, fields: Fields): string {
  const functionName = place.source.name(`encode_${name}`)
  const body: string[] = []
  for (const [key, field] of Object.entries(fields)) {
    if (isInBody(field, place))
      body.push(encodeStatement(place, key, field, givenValue(key, field)))
    else if (!isPresent(field, place)) body.push(...absentGuard(place, name, key, field))
  }
  body.push(...tagsEncoder(place, fields))
  place.source.add(functionName, 'w, value', body)
  return functionName
}

function encodeStatement(place: Place, key: string, field: AnyField, value: string): string {
  const { type } = field.facts
  const nullable = isNullable(field.facts, place)
  if (typeof type === 'string') return `w.${primitiveMethod(type, field.facts, place)}(${value})`
  if ('items' in type) return `${arrayEncoder(place, key, type.items, nullable)}(w, ${value})`
  const encode = structEncoder(place, key, type.fields)
  if (!nullable) return `${encode}(w, ${value})`
  const isTagged = isTaggedNullableStruct(field, place)
  return `${nullableEncoder(place, key, encode, isTagged)}(w, ${value})`
}

function nullableEncoder(place: Place, key: string, encode: string, isTagged: boolean): string {
  const functionName = place.source.name(`encode_${key}_orNull`)
  place.source.add(functionName, 'w, value', [
    `if (value == null) return ${isTagged ? 'w.uvarint(0)' : 'w.int8(-1)'}`,
    isTagged ? 'w.uvarint(1)' : 'w.int8(1)',
    `${encode}(w, value)`,
  ])
  return functionName
}

function arrayEncoder(place: Place, key: string, items: AnyField, nullable: boolean): string {
  const functionName = place.source.name(`encode_${key}_array`)
  const compact = place.flexible
  place.source.add(functionName, 'w, array', [
    ...(nullable
      ? [`if (array === null) return w.${compact ? 'compactNull' : 'null'}Count()`]
      : []),
    'const count = array.length',
    `w.${compact ? 'compactCount' : 'count'}(count)`,
    `for (let i = 0; i < count; i++) ${encodeStatement(place, key, items, 'array[i]')}`,
  ])
  return functionName
}

function tagsEncoder(place: Place, fields: Fields): string[] {
  if (!place.flexible) return []
  const tagged = taggedFields(fields, place)
  if (tagged.length === 0) return ['w.uvarint(0)']
  const has = (key: string): string => `has_${key}`
  const tests = tagged.map(
    ([key, field]) => `const ${has(key)} = !(${isDefault(field, `value.${key}`)})`,
  )
  const writes = tagged.flatMap(([key, field]) => [
    `if (${has(key)}) {`,
    `  const start = w.beginTag(${field.facts.tag})`,
    `  ${encodeStatement(place, key, field, `value.${key}`)}`,
    '  w.endTag(start)',
    '}',
  ])
  const count = tagged.map(([key]) => `(${has(key)} ? 1 : 0)`).join(' + ')
  return [...tests, `w.uvarint(${count})`, ...writes]
}

/** Losing a field silently would be our bug, so the encoder refuses, as Kafka's does. */
function absentGuard(place: Place, name: string, key: string, field: AnyField): string[] {
  if (field.facts.ignorable) return []
  const text = `${name}.${key} does not exist in version ${place.version}`
  return [`if (!(${isDefault(field, `value.${key}`)})) throw new RangeError('${text}')`]
}

/** `??` would also replace a null that was meant, where null is not the default. */
function givenValue(key: string, { facts }: AnyField): string {
  if (!facts.optional) return `value.${key}`
  const test = facts.default === null ? '??' : `!== undefined ? value.${key} :`
  return `(value.${key} ${test} ${absentValue(facts)})`
}
