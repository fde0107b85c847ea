import { ConfScanner } from './conf-scanner.ts'
import type { ConfMap, ConfValue } from './conf-value.ts'

/** What a configuration may refer to outside of itself. */
export interface ConfSurroundings {
  /** The text of a file; `from` is the file that includes it, empty for the one asked for. */
  readFile(path: string, from: string): { readonly path: string; readonly text: string }
  environment(name: string): string | undefined
}

/** Files that include each other, and variables that name each other, end here. */
const MAX_DEPTH = 16

/** Bcrypt hashes begin like a variable, and need no quotes all the same. */
const BCRYPT = '$2a$'

/**
 * Reads a file of nats-server's configuration language: `name: value`, `name = value` or `name value`;
 * blocks in braces, lists in brackets, texts with or without quotes, sizes such as 64MB, comments by #
 * and //, `include FILE`, and `$NAME` for a setting above or a variable of the environment.
 * Source: conf/lex.go and conf/parse.go of nats-server.
 * @throws ConfigError that names file, line and what is wrong
 */
export function parseConfFile(path: string, surroundings: ConfSurroundings): ConfMap {
  const file = surroundings.readFile(path, '')
  return new ConfParser(file.text, file.path, surroundings, 0).parseFile()
}

class ConfParser {
  readonly #scanner: ConfScanner
  readonly #path: string
  readonly #surroundings: ConfSurroundings
  readonly #depth: number
  /** Blocks around the place that is read, the innermost last. */
  readonly #blocks: Map<string, ConfValue>[] = []

  constructor(text: string, path: string, surroundings: ConfSurroundings, depth: number) {
    this.#scanner = new ConfScanner(text, path)
    this.#path = path
    this.#surroundings = surroundings
    this.#depth = depth
  }

  parseFile(): ConfMap {
    const scanner = this.#scanner
    scanner.skipSeparators()
    // A whole file in braces, as JSON has it.
    const hasBraces = scanner.take('{')
    const map = this.#block(hasBraces ? '}' : '')
    scanner.skipSeparators()
    if (!scanner.isAtEnd) scanner.fail(`unexpected "${scanner.peek()}"`)
    return map
  }

  /** @param end the character that ends the block; empty: the end of the file */
  #block(end: string): Map<string, ConfValue> {
    const scanner = this.#scanner
    const block = new Map<string, ConfValue>()
    this.#blocks.push(block)
    for (;;) {
      scanner.skipSeparators()
      if (scanner.isAtEnd) {
        if (end !== '') scanner.fail(`a block is not closed by "${end}"`)
        break
      }
      if (end !== '' && scanner.take(end)) break
      this.#setting(block)
    }
    this.#blocks.pop()
    return block
  }

  #setting(block: Map<string, ConfValue>): void {
    const scanner = this.#scanner
    const { name, isQuoted } = scanner.name()
    if (!isQuoted && name.toLowerCase() === 'include' && !scanner.isKeySeparator()) {
      for (const [key, value] of this.#include()) block.set(key, value)
      return
    }
    scanner.skipKeySeparator()
    block.set(name, this.#value())
  }

  #include(): ConfMap {
    if (this.#depth >= MAX_DEPTH) this.#scanner.fail('files include each other too deeply')
    const file = this.#surroundings.readFile(this.#scanner.fileName(), this.#path)
    return new ConfParser(file.text, file.path, this.#surroundings, this.#depth + 1).parseFile()
  }

  #value(): ConfValue {
    const scanner = this.#scanner
    if (scanner.take('{')) return this.#block('}')
    if (scanner.take('[')) return this.#array()
    const { text, isQuoted } = scanner.text()
    if (isQuoted) return text
    if (text.startsWith('$') && !text.startsWith(BCRYPT)) return this.#variable(text.slice(1))
    return plainValue(text)
  }

  #array(): ConfValue[] {
    const scanner = this.#scanner
    const values: ConfValue[] = []
    for (;;) {
      scanner.skipSeparators()
      if (scanner.take(']')) return values
      if (scanner.isAtEnd) scanner.fail('a list is not closed by "]"')
      values.push(this.#value())
    }
  }

  #variable(name: string): ConfValue {
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      const value = this.#blocks[i]?.get(name)
      if (value !== undefined) return value
    }
    const text = this.#surroundings.environment(name)
    if (text === undefined) {
      return this.#scanner.fail(
        `the variable $${name} is neither set above nor in the environment; put it in quotes if it is a text`,
      )
    }
    if (this.#depth >= MAX_DEPTH) this.#scanner.fail(`the variable $${name} leads to itself`)
    const parser = new ConfParser(`value: ${text}`, name, this.#surroundings, this.#depth + 1)
    return parser.parseFile().get('value') ?? ''
  }
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ...['k', 'm', 'g', 't', 'p', 'e'].flatMap((letter, index): [string, number][] => {
    const binary = 1024 ** (index + 1)
    return [
      [letter, 1000 ** (index + 1)],
      [`${letter}b`, binary],
      [`${letter}i`, binary],
      [`${letter}ib`, binary],
    ]
  }),
])

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['no', false],
  ['off', false],
])

/** What a text without quotes means: a truth value, a number with its unit, else itself. */
function plainValue(text: string): ConfValue {
  const boolean = BOOLEANS.get(text.toLowerCase())
  if (boolean !== undefined) return boolean
  const number = /^(-?\d+)([a-z]*)$/i.exec(text)
  const unit = UNITS.get((number?.[2] ?? '?').toLowerCase())
  if (number !== null && unit !== undefined) return Number(number[1]) * unit
  return /^-?\d+\.\d+$/.test(text) ? Number(text) : text
}
