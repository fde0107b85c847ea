import { ConfigError } from '../../base/errors.ts'
import { type ConfMap, type ConfValue, isConfArray, isConfMap } from './conf-value.ts'

const DURATION_MS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
])

/** One block of a configuration, read by name. Names are not told apart by case. */
export class ConfReader {
  readonly #where: string
  readonly #values = new Map<string, ConfValue>()
  readonly #names = new Map<string, string>()
  readonly #read = new Set<string>()

  /** @param where the block, for errors; empty for the file itself */
  constructor(block: ConfMap, where: string) {
    this.#where = where
    for (const [name, value] of block) {
      this.#values.set(name.toLowerCase(), value)
      this.#names.set(name.toLowerCase(), name)
    }
  }

  /** The value of the first of these names that is there. */
  value(...names: readonly string[]): ConfValue | undefined {
    let found: ConfValue | undefined
    for (const name of names) {
      this.#read.add(name)
      found ??= this.#values.get(name)
    }
    return found
  }

  text(...names: readonly string[]): string | undefined {
    const value = this.value(...names)
    if (value === undefined || typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    return this.fail(names, 'must be a text')
  }

  integer(...names: readonly string[]): number | undefined {
    const value = this.value(...names)
    if (value === undefined) return undefined
    return Number.isSafeInteger(value) ? Number(value) : this.fail(names, 'must be a whole number')
  }

  flag(...names: readonly string[]): boolean | undefined {
    const value = this.value(...names)
    if (value === undefined || typeof value === 'boolean') return value
    return this.fail(names, 'must be true or false')
  }

  /** Such as `2s` or `1m30s`; a number is seconds. */
  durationMs(...names: readonly string[]): number | undefined {
    const value = this.value(...names)
    if (value === undefined) return undefined
    if (typeof value === 'number') return value * 1000
    const ms = typeof value === 'string' ? parseDuration(value) : null
    return ms ?? this.fail(names, 'must be a time such as 2s')
  }

  list(...names: readonly string[]): readonly ConfValue[] | undefined {
    const value = this.value(...names)
    if (value === undefined || isConfArray(value)) return value
    return this.fail(names, 'must be a list in brackets')
  }

  /** A list of texts, or a single one. */
  texts(...names: readonly string[]): readonly string[] | undefined {
    const value = this.value(...names)
    if (value === undefined) return undefined
    const values = isConfArray(value) ? value : [value]
    return values.map((one) => (typeof one === 'string' ? one : this.fail(names, 'must be texts')))
  }

  block(...names: readonly string[]): ConfReader | undefined {
    const value = this.value(...names)
    if (value === undefined) return undefined
    if (!isConfMap(value)) return this.fail(names, 'must be a block in braces')
    return new ConfReader(value, this.#path(names[0] ?? ''))
  }

  /** The blocks inside of this one by their names as they are written. */
  *blocks(): Iterable<readonly [name: string, block: ConfReader]> {
    for (const [key, name] of this.#names) {
      const block = this.block(key)
      if (block !== undefined) yield [name, block]
    }
  }

  /** The entries of a list of blocks. */
  blockList(...names: readonly string[]): ConfReader[] {
    return (this.list(...names) ?? []).map((value) => {
      if (!isConfMap(value)) return this.fail(names, 'must be a list of blocks')
      return new ConfReader(value, this.#path(names[0] ?? ''))
    })
  }

  /** All names, as they are written. */
  get names(): Iterable<string> {
    return this.#names.values()
  }

  /** Names that nothing asked for, as they are written. */
  get unread(): string[] {
    const names: string[] = []
    for (const [key, name] of this.#names) if (!this.#read.has(key)) names.push(this.#path(name))
    return names
  }

  /** @throws ConfigError for a name that nothing asked for */
  finish(): void {
    const [name] = this.unread
    if (name !== undefined) throw new ConfigError(`unknown field "${name}": take it out`)
  }

  fail(names: readonly string[], reason: string): never {
    throw new ConfigError(`${this.#path(names[0] ?? '')} ${reason}`)
  }

  #path(name: string): string {
    return this.#where === '' ? name : `${this.#where}.${name}`
  }
}

/** @returns null for what is no time as Go writes it */
function parseDuration(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return null
  let ms = 0
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    ms += Number(number) * (DURATION_MS.get(unit) ?? 0)
  }
  return ms
}
