/** In texts that did not come as bytes, such as an error of the JSON parser. */
const NO_BYTES = /[^\0-\xff]+/g

/** Characters that are not one byte each in UTF-8, or escapes that may stand for such. */
const NOT_PLAIN = /[^\0-\x7f]|\\u/

/**
 * Reads JSON whose texts shall have one character for each byte, as subjects have.
 * @throws SyntaxError when it is not JSON
 */
export function parseByteJson(payload: Buffer): unknown {
  const text = payload.toString('utf8')
  const value: unknown = JSON.parse(text)
  return NOT_PLAIN.test(text) ? toBytes(value) : value
}

/** The bytes of JSON whose texts have one character for each byte, but for those that can be none. */
export function byteJson(value: unknown): Buffer {
  const text = JSON.stringify(value)
  return Buffer.from(text.replace(NO_BYTES, utf8Of), 'latin1')
}

const utf8Of = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

function toBytes(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('latin1')
  if (Array.isArray(value)) return value.map(toBytes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [toBytes(key) as string, toBytes(inner)]),
  )
}
