import { ConfigError } from '../../base/errors.ts'

const KEY_END = /[\s:={]/
/** What ends a text without quotes. */
const TEXT_END = /[\s;,\]}]/
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
  ['"', '"'],
  ['\\', '\\'],
])
const HEX_BYTE = /^[\da-f]{2}$/i

/** Cuts a configuration into names and texts. */
export class ConfScanner {
  readonly #text: string
  readonly #path: string
  #at = 0

  constructor(text: string, path: string) {
    this.#text = text
    this.#path = path
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  peek(): string {
    return this.#text[this.#at] ?? ''
  }

  /** @throws ConfigError with the place */
  fail(reason: string): never {
    const line = this.#text.slice(0, this.#at).split('\n').length
    const where = this.#path === '' ? '' : `${this.#path}: `
    throw new ConfigError(`${where}line ${line}: ${reason}`)
  }

  take(character: string): boolean {
    if (this.peek() !== character) return false
    this.#at++
    return true
  }

  /** Blanks, line ends, commas, semicolons and comments: all that is between settings. */
  skipSeparators(): void {
    for (; !this.isAtEnd; this.#at++) {
      if (this.#isComment()) this.#skipLine()
      else if (!/[\s,;]/.test(this.peek())) return
    }
  }

  isKeySeparator(): boolean {
    this.#skipBlanks()
    return this.peek() === ':' || this.peek() === '='
  }

  skipKeySeparator(): void {
    while (!this.isAtEnd && /[\s:=]/.test(this.peek())) this.#at++
  }

  name(): { readonly name: string; readonly isQuoted: boolean } {
    if (this.peek() === '"' || this.peek() === "'") return { name: this.#quoted(), isQuoted: true }
    const start = this.#at
    while (!this.isAtEnd && !KEY_END.test(this.peek())) this.#at++
    if (this.#at === start) this.fail(`a name is expected, not "${this.peek()}"`)
    return { name: this.#text.slice(start, this.#at), isQuoted: false }
  }

  fileName(): string {
    this.#skipBlanks()
    return this.text().text
  }

  /** A value that is a text, or is written like one. */
  text(): { readonly text: string; readonly isQuoted: boolean } {
    if (this.peek() === '(') return { text: this.#lines(), isQuoted: true }
    if (this.peek() === '"') return { text: this.#withEscapes(), isQuoted: true }
    if (this.peek() === "'") return { text: this.#quoted(), isQuoted: true }
    const start = this.#at
    let text = ''
    while (!this.isAtEnd && !TEXT_END.test(this.peek())) {
      if (this.peek() === '\\') text += this.#escape()
      else text += this.#text[this.#at++]
    }
    if (this.#at === start) this.fail('a value is missing')
    return { text, isQuoted: false }
  }

  /** Between quotes of either kind, as it is. */
  #quoted(): string {
    const quote = this.#text[this.#at++] as string
    const end = this.#text.indexOf(quote, this.#at)
    if (end === -1) this.fail(`a text is not closed by ${quote}`)
    const text = this.#text.slice(this.#at, end)
    this.#at = end + 1
    return text
  }

  #withEscapes(): string {
    this.#at++
    let text = ''
    while (this.peek() !== '"') {
      if (this.isAtEnd) this.fail('a text is not closed by "')
      if (this.peek() === '\\') text += this.#escape()
      else text += this.#text[this.#at++]
    }
    this.#at++
    return text
  }

  #escape(): string {
    const character = this.#text[this.#at + 1] ?? ''
    const meaning = ESCAPES.get(character)
    if (meaning !== undefined) {
      this.#at += 2
      return meaning
    }
    const hex = this.#text.slice(this.#at + 2, this.#at + 4)
    if (character !== 'x' || !HEX_BYTE.test(hex)) {
      this.fail(`"\\${character}" is not an escape: there are \\xXX, \\t, \\n, \\r, \\" and \\\\`)
    }
    this.#at += 4
    return String.fromCharCode(Number.parseInt(hex, 16))
  }

  /** Between parentheses, the closing one alone on its line. */
  #lines(): string {
    const end = /\n\)[ \t\r]*(?=\n|$)/.exec(this.#text.slice(this.#at))
    if (end === null) this.fail('a text in parentheses is not closed by ")" on a line of its own')
    const text = this.#text.slice(this.#at + 1, this.#at + end.index + 1)
    this.#at += end.index + end[0].length
    return text
  }

  #isComment(): boolean {
    return this.peek() === '#' || this.#text.startsWith('//', this.#at)
  }

  #skipLine(): void {
    while (!this.isAtEnd && this.peek() !== '\n') this.#at++
  }

  #skipBlanks(): void {
    while (/[ \t]/.test(this.peek())) this.#at++
  }
}
