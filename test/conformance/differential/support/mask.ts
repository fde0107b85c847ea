import { ZERO_UUID } from '../../../../src/wire/kafka/codec.ts'

/** Values that name the same thing differently on each broker, by field: numbered as they appear. */
const NUMBERED: Readonly<Record<string, string>> = {
  topicId: 'topic',
  memberId: 'member',
  leader: 'member',
  producerId: 'producer',
  sessionId: 'session',
  clusterId: 'cluster',
}
/** Fields that differ by nature; only whether they are set is compared. */
const PRESENCE: Readonly<Record<string, string>> = {
  errorMessage: 'text',
  batchIndexErrorMessage: 'text',
  documentation: 'text',
  logAppendTimeMs: 'time',
  host: 'host',
  port: 'port',
  clientHost: 'host',
}
const DROPPED = new Set(['throttleTimeMs'])
/** Lists without an order of their own, by the fields that name their elements. */
const NAMES = ['name', 'topic', 'groupId', 'index', 'partitionIndex', 'partition', 'apiKey']

function isUnset(value: unknown): boolean {
  return [null, undefined, '', -1, 0, ZERO_UUID].includes(value as never)
}

function isNamedRow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && NAMES.some((name) => name in value)
}

function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return ''
  const row = value as Record<string, unknown>
  return NAMES.map((name) => String(row[name] ?? '').padStart(12, '0')).join('|')
}

/** Makes the answers of two brokers comparable. One for each run of a scenario. */
export class Mask {
  readonly #numbers = new Map<string, string>()
  readonly #comparesTexts: boolean

  /** @param comparesTexts word for word, not only whether there is one */
  constructor(comparesTexts = false) {
    this.#comparesTexts = comparesTexts
  }

  apply(value: unknown, field = ''): unknown {
    if (typeof value === 'bigint') return String(value)
    if (Buffer.isBuffer(value)) return `0x${value.toString('hex')}`
    const kind = NUMBERED[field]
    if (kind !== undefined && !isUnset(value)) return this.#number(kind, value)
    const text = PRESENCE[field]
    if (text === 'text' && this.#comparesTexts && typeof value === 'string') {
      return this.#textOf(value)
    }
    if (text !== undefined && !isUnset(value)) return `<${text}>`
    if (Array.isArray(value)) return this.#list(value, field)
    if (typeof value !== 'object' || value === null) return value
    const rows = Object.entries(value).filter(([name]) => !DROPPED.has(name))
    return Object.fromEntries(rows.map(([name, inner]) => [name, this.apply(inner, name)]))
  }

  /** Names in a text are numbered as elsewhere. */
  #textOf(text: string): string {
    let masked = text
    for (const [key, name] of this.#numbers) {
      const value = key.slice(key.indexOf(' ') + 1)
      if (value.length > 8) masked = masked.replaceAll(value, name)
    }
    return masked
  }

  #list(values: readonly unknown[], field: string): unknown[] {
    const isNamed = values.every(isNamedRow)
    const sorted = isNamed
      ? values.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0))
      : values
    return sorted.map((value) => this.apply(value, field))
  }

  #number(kind: string, value: unknown): string {
    const key = `${kind} ${String(value)}`
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const count = [...this.#numbers.keys()].filter((other) => other.startsWith(`${kind} `)).length
    const made = `<${kind} ${count + 1}>`
    this.#numbers.set(key, made)
    return made
  }
}
