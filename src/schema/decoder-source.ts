import {
  countMethod,
  isInBody,
  isNullable,
  isTaggedNullableStruct,
  type Layout,
  minBytes,
  primitiveMethod,
  taggedFields,
} from './layout.ts'
import type { AnyField, Fields } from './schema.ts'
import { absentValue, type Place, Source } from './source.ts'

/** Source text of functions `(r: Reader) => value`, one per struct and array. */
export function decoderSource(layout: Layout): Source {
  const source = new Source()
  source.entry = structDecoder({ source, ...layout }, layout.name, layout.fields)
  return source
}

function structDecoder(place: Place, name: string, fields: Fields): string {
  const functionName = place.source.name(`decode_${name}`)
  const members = Object.entries(fields).map(([key, field]) =>
    isInBody(field, place)
      ? `  ${key}: ${decodeExpression(place, key, field)},`
      : `  ${key}: ${absentValue(field.facts)},`,
  )
  const body = ['const value = {', ...members, '}', ...tagsDecoder(place, fields), 'return value']
  place.source.add(functionName, 'r', body)
  return functionName
}

function decodeExpression(place: Place, key: string, field: AnyField): string {
  const { type } = field.facts
  const nullable = isNullable(field.facts, place)
  if (typeof type === 'string') return `r.${primitiveMethod(type, field.facts, place)}()`
  if ('items' in type) return `${arrayDecoder(place, key, type.items, nullable)}(r)`
  const call = `${structDecoder(place, key, type.fields)}(r)`
  if (!nullable) return call
  const isNull = isTaggedNullableStruct(field, place) ? 'r.uvarint() === 0' : 'r.int8() < 0'
  return `(${isNull} ? null : ${call})`
}

function arrayDecoder(place: Place, key: string, items: AnyField, nullable: boolean): string {
  const functionName = place.source.name(`decode_${key}_array`)
  const item = decodeExpression(place, key, items)
  place.source.add(functionName, 'r', [
    `const count = r.${countMethod(place, nullable)}(${minBytes(items, place)})`,
    ...(nullable ? ['if (count < 0) return null'] : []),
    'const array = []',
    `for (let i = 0; i < count; i++) array.push(${item})`,
    'return array',
  ])
  return functionName
}

/** Unknown tags are skipped: newer peers may send them in any flexible version. */
function tagsDecoder(place: Place, fields: Fields): string[] {
  if (!place.flexible) return []
  const cases = taggedFields(fields, place).map(
    ([key, field]) =>
      `    case ${field.facts.tag}: value.${key} = ${decodeExpression(place, key, field)}; break`,
  )
  if (cases.length === 0) return ['r.skipTags()']
  return [
    'for (let left = r.uvarint(); left > 0; left--) {',
    '  const tag = r.uvarint(), end = r.tagEnd()',
    '  switch (tag) {',
    ...cases,
    '    default: r.skipTo(end)',
    '  }',
    '  r.expectAt(end)',
    '}',
  ]
}
