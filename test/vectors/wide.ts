import { type AnyField, Field, type Fields, type Message } from '../../src/schema/schema.ts'

const INT64_MAX = 0x7fff_ffff_ffff_ffffn

/** The vectors hold any int64, most beyond 2^53, so they run on a schema with bigints. */
export function wide(message: Message): Message {
  return { ...message, fields: wideFields(message.fields) }
}

function wideFields(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, wideField(field)]))
}

function wideField(field: AnyField): AnyField {
  const { facts } = field
  const { type } = facts
  if (type === 'int64' || type === 'int64Saturated') {
    return new Field({ ...facts, type: 'int64Bigint', default: wideDefault(facts.default) })
  }
  if (typeof type === 'string') return field
  if ('items' in type) return new Field({ ...facts, type: { items: wideField(type.items) } })
  return new Field({ ...facts, type: { fields: wideFields(type.fields) } })
}

function wideDefault(value: unknown): bigint {
  return value === Number.MAX_SAFE_INTEGER ? INT64_MAX : BigInt(value as number)
}

/**
 * The same value with every int64 moved into the range the broker accepts. 2^53-1 is moved too: a
 * saturated field reads it as "no limit".
 */
export function narrow(value: unknown): unknown {
  if (typeof value === 'bigint') return isSafe(value) ? value : BigInt.asUintN(52, value)
  if (Array.isArray(value)) return value.map(narrow)
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, narrow(item)]))
}

function isSafe(value: bigint): boolean {
  return value >= -1n && value < BigInt(Number.MAX_SAFE_INTEGER)
}
