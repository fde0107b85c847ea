import type { Layout } from './layout.ts'
import type { AnyField, Facts } from './schema.ts'

/** Collects functions, one per struct and array, so that what is compiled reads like code. */
export class Source {
  entry = ''
  readonly #functions: string[] = []
  readonly #names = new Set<string>()

  /** Reserves a name first: a caller is numbered before the functions it calls. */
  name(wanted: string): string {
    let name = wanted
    for (let n = 2; this.#names.has(name); n++) name = `${wanted}${n}`
    this.#names.add(name)
    return name
  }

  add(name: string, parameters: string, body: readonly string[]): void {
    const lines = body.map((line) => `  ${line}`)
    this.#functions.push(`function ${name}(${parameters}) {\n${lines.join('\n')}\n}`)
  }

  text(): string {
    return this.#functions.join('\n')
  }
}

/** What a struct or array needs to know about the message around it. */
export interface Place extends Layout {
  readonly source: Source
}

/** Source text of the value a reader gets for a field that is not on the wire. */
export function absentValue({ type, default: value }: Facts): string {
  if (typeof value === 'bigint') return `${value}n`
  if (value === null || typeof type !== 'object') return literal(value)
  if ('items' in type) return '[]'
  const members = Object.entries(type.fields).map(
    ([key, field]) => `${key}: ${absentValue(field.facts)}`,
  )
  return `{ ${members.join(', ')} }`
}

function literal(value: unknown): string {
  return Buffer.isBuffer(value) ? 'Buffer.alloc(0)' : JSON.stringify(value)
}

/** Source text of a test; true also for a field that was left out. */
export function isDefault({ facts }: AnyField, value: string): string {
  const { type } = facts
  if (facts.default === null) return `${value} == null`
  if (type === 'bytes' || type === 'records')
    return `${value} === undefined || ${value}?.byteLength === 0`
  if (typeof type === 'string') {
    return `${value} === undefined || ${value} === ${absentValue(facts)}`
  }
  if ('items' in type) return `${value} === undefined || ${value}?.length === 0`
  const members = Object.entries(type.fields).map(
    ([key, field]) => `(${isDefault(field, `${value}.${key}`)})`,
  )
  return `${value} === undefined || ${value} !== null && ${members.join(' && ')}`
}
