import { withHeader } from '../message-headers.ts'
import type { NewMessage } from '../record-mapping.ts'

/** What a counter came to, and how much of that each subject of each source stream gave. */
export interface Counter {
  readonly total: bigint
  readonly sources: CounterSources
}

type CounterSources = ReadonlyMap<string, ReadonlyMap<string, string>>

const INCREMENT = 'Nats-Incr'
const SOURCES = 'Nats-Counter-Sources'
const STREAM_SOURCE = 'Nats-Stream-Source'

/** Where the subject of the origin is in the value of `Nats-Stream-Source`. */
const ORIGIN_SUBJECT_INDEX = 4

const INCREMENT_FORM = /^[+-]?\d+$/
const LEADING_INTEGER = /^[+-]?\d+/

export const NO_COUNTER: Counter = { total: 0n, sources: new Map() }

/** How much to add; null: it is no integer in decimal digits. */
export function incrementOf(text: string): bigint | null {
  return INCREMENT_FORM.test(text) ? integerOf(text) : null
}

/** The counter that a stored message holds; null: it holds none, the counter is broken. */
export function counterOf(headers: Buffer | null, payload: Buffer): Counter | null {
  const value = bodyValue(payload)
  const sources = sourcesOf(headerOf(headers, SOURCES))
  return value === null || sources === null ? null : { total: leadingInteger(value), sources }
}

/** The total in the body of a stored message, as clients are told it. */
export function counterText(payload: Buffer): string {
  return bodyValue(payload) ?? ''
}

/** A message as it is stored, and the counter after it. */
interface Counted {
  readonly message: NewMessage
  readonly counter: Counter
}

/**
 * Adds a message to a counter. One that was copied from a source carries the total of its origin, so the
 * difference to what that gave before is added.
 * @returns null when the message of a source holds no counter
 * Source: ADR-49; processJetStreamMsg of nats-server.
 */
export function addTo(before: Counter, message: NewMessage, increment: bigint): Counted | null {
  const source = headerOf(message.headers, STREAM_SOURCE)
  if (source === '') return counted(message, before.total + increment, before.sources)
  const value = bodyValue(message.payload)
  if (value === null) return null
  const fields = source.split(' ')
  const stream = fields[0] ?? ''
  const subject = fields[ORIGIN_SUBJECT_INDEX] ?? message.subject
  const given = leadingInteger(value)
  const ofStream = new Map(before.sources.get(stream))
  const difference = given - leadingInteger(ofStream.get(subject) ?? '')
  ofStream.set(subject, String(given))
  const sources = new Map(before.sources).set(stream, ofStream)
  const headers = withHeader(message.headers, INCREMENT, String(difference))
  return counted({ ...message, headers }, before.total + difference, sources)
}

function counted(message: NewMessage, total: bigint, sources: CounterSources): Counted {
  const payload = Buffer.from(`{"val":"${total}"}`, 'latin1')
  const headers =
    sources.size === 0
      ? message.headers
      : withHeader(message.headers, SOURCES, sourcesText(sources))
  return { message: { ...message, headers, payload }, counter: { total, sources } }
}

/** The text of a counter's body; empty: it has none; null: that is no body of a counter. */
function bodyValue(payload: Buffer): string | null {
  const body = parsed(payload.toString('latin1'))
  if (body === null) return ''
  if (typeof body !== 'object' || Array.isArray(body)) return null
  const value = (body as Readonly<Record<string, unknown>>)['val'] ?? ''
  return typeof value === 'string' ? value : null
}

function sourcesOf(text: string): CounterSources | null {
  const sources = new Map<string, ReadonlyMap<string, string>>()
  if (text === '') return sources
  const outer = entriesOf(parsed(text))
  if (outer === null) return null
  for (const [stream, of] of outer) {
    const inner = entriesOf(of)
    if (inner === null) return null
    const totals = new Map<string, string>()
    for (const [subject, total] of inner) {
      if (typeof total !== 'string') return null
      totals.set(subject, total)
    }
    sources.set(stream, totals)
  }
  return sources
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] | null {
  if (value === null) return []
  return typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : null
}

/** undefined: it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** With its names in order, and what HTML would mistake escaped. Source: json.Marshal of Go. */
function sourcesText(sources: CounterSources): string {
  const streams = inOrder(sources).map(([stream, totals]) => {
    const subjects = inOrder(totals).map(([subject, total]) => `${quoted(subject)}:"${total}"`)
    return `${quoted(stream)}:{${subjects.join(',')}}`
  })
  return `{${streams.join(',')}}`
}

function inOrder<T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] {
  return [...map].sort(([one], [other]) => (one < other ? -1 : 1))
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  )
}

/** A sign that is not followed by a number counts as 0, as in nats-server. */
function leadingInteger(text: string): bigint {
  return integerOf(LEADING_INTEGER.exec(text)?.[0] ?? '0')
}

function integerOf(text: string): bigint {
  return BigInt(text.startsWith('+') ? text.slice(1) : text)
}

function headerOf(headers: Buffer | null, name: string): string {
  if (headers === null || !headers.includes(name, 0, 'latin1')) return ''
  const start = `${name}:`
  const line = headers
    .toString('latin1')
    .split('\r\n')
    .find((one) => one.startsWith(start))
  return line?.slice(start.length).trim() ?? ''
}
