import type { NewRecordHeader } from '../../../records/batch-builder.ts'
import type { RecordHeader } from '../../../records/records-iterator.ts'

const START = 'NATS/1.0\r\n'
const END = '\r\n'
const NO_HEADERS: readonly NewRecordHeader[] = []

/** A block that can not be made again from names and values is kept whole, under this name. */
const WHOLE_BLOCK = '_nats.headers'

/** Behind the name of a header whose bytes a header line can not hold. */
const BASE_64 = ';b64'

/** The status line, the empty line, and what is behind it. */
const EMPTY_BLOCK_LINES = 3

const PLAIN_NAME = /^[!-9;-~]+$/

/** Headers of a record, from the header block of a message. */
export function recordHeadersOf(block: Buffer | null): readonly NewRecordHeader[] {
  if (block === null || block.byteLength === 0) return NO_HEADERS
  const headers: NewRecordHeader[] = []
  const text = block.toString('latin1')
  if (!text.startsWith(START) || !text.endsWith(`${END}${END}`)) return whole(block)
  let at = START.length
  while (at < text.length - END.length) {
    const end = text.indexOf(END, at)
    const colon = text.indexOf(': ', at)
    if (colon === -1 || colon > end) return whole(block)
    const key = text.slice(at, colon)
    if (!PLAIN_NAME.test(key)) return whole(block)
    headers.push({ key, value: Buffer.from(block.subarray(colon + 2, end)) })
    at = end + END.length
  }
  return at === text.length - END.length ? headers : whole(block)
}

/** The header block of a record; null: it has no headers. */
export function headerBlockOf(headers: readonly RecordHeader[]): Buffer | null {
  const [first] = headers
  if (first === undefined) return null
  if (first.key === WHOLE_BLOCK && first.value !== null) return Buffer.from(first.value)
  const lines = [START]
  for (const { key, value } of headers) lines.push(lineOf(key, value))
  lines.push(END)
  return Buffer.from(lines.join(''), 'latin1')
}

/** Adds a header at the end of a block, which may be null. Texts have one character for each byte. */
export function withHeaders(
  block: Buffer | null,
  headers: readonly (readonly [name: string, value: string])[],
): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}${END}`).join('')
  if (block === null) return Buffer.from(`${START}${lines}${END}`, 'latin1')
  const added = Buffer.from(`${lines}${END}`, 'latin1')
  return Buffer.concat([block.subarray(0, block.byteLength - END.length), added])
}

/** Gives a header another value where it is, or adds it at the end of a block, which may be null. */
export function withHeader(block: Buffer | null, name: string, value: string): Buffer {
  const lines = block?.toString('latin1').split(END) ?? []
  const start = `${name}:`
  const at = lines.findIndex((line) => line.startsWith(start))
  if (at === -1) return withHeaders(block, [[name, value]])
  const blank = lines[at]?.startsWith(`${start} `) ? ' ' : ''
  return Buffer.from(lines.with(at, `${start}${blank}${value}`).join(END), 'latin1')
}

/** Leaves out headers whose names begin so; null: none is left. */
export function withoutHeaders(block: Buffer | null, start: string): Buffer | null {
  if (block?.includes(`${END}${start}`, 0, 'latin1') !== true) return block
  const lines = block.toString('latin1').split(END)
  const kept = lines.filter((line) => !line.startsWith(start))
  return kept.length > EMPTY_BLOCK_LINES ? Buffer.from(kept.join(END), 'latin1') : null
}

function whole(block: Buffer): readonly NewRecordHeader[] {
  return [{ key: WHOLE_BLOCK, value: block }]
}

function lineOf(key: string, value: Buffer | null): string {
  const name = PLAIN_NAME.test(key) ? key : encodeURIComponent(key)
  if (value === null) return `${name}: ${END}`
  const text = value.toString('latin1')
  return /[\r\n]/.test(text)
    ? `${name}${BASE_64}: ${value.toString('base64')}${END}`
    : `${name}: ${text}${END}`
}
