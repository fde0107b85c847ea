import { ConfigError } from '../../base/errors.ts'

/**
 * Reads Java's properties format, so that a `server.properties` is taken as it is: `#` and `!`
 * comments, `=`, `:` or blanks between name and value, lines continued with a backslash, escapes.
 * Of names that come twice the last one counts, as in Java.
 * @throws ConfigError naming the line of a broken escape
 */
export function parseProperties(text: string): Map<string, string> {
  const values = new Map<string, string>()
  const lines = text.split(/\r\n|\n|\r/)
  for (let index = 0; index < lines.length; index++) {
    const firstLine = index + 1
    let line = (lines[index] as string).trimStart()
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue
    while (isContinued(line) && index + 1 < lines.length) {
      line = line.slice(0, -1) + (lines[++index] as string).trimStart()
    }
    if (isContinued(line)) line = line.slice(0, -1)
    const end = endOfName(line)
    const rest = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
    values.set(unescaped(line.slice(0, end), firstLine), unescaped(rest, firstLine).trimEnd())
  }
  return values
}

/** An odd number of backslashes at the end. */
function isContinued(line: string): boolean {
  const slashes = /\\*$/.exec(line)?.[0].length ?? 0
  return slashes % 2 === 1
}

function endOfName(line: string): number {
  for (let at = 0; at < line.length; at++) {
    const character = line[at] as string
    if (character === '\\') at++
    else if ('=: \t\f'.includes(character)) return at
  }
  return line.length
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' }

function unescaped(text: string, line: number): string {
  return text.replace(/\\(u[\da-fA-F]{0,4}|.)/g, (_, escaped: string) => {
    if (!escaped.startsWith('u')) return ESCAPES[escaped] ?? escaped
    if (escaped.length !== 5) throw new ConfigError(`line ${line}: \\u needs four hex digits`)
    return String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
  })
}
