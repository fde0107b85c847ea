import { withHeader } from '../../../broker/jetstream/stream/message-headers.ts'
import type { PublishedMessage } from '../../../wire/nats/published-message.ts'

/** Where what is told of the way of a message goes. */
const TRACE_DESTINATION = 'Nats-Trace-Dest'
/** Source: MsgTraceDestDisabled of nats-server. It is not a subject. */
const TRACE_DISABLED = 'trace disabled'
/** The message itself goes to nobody. */
const TRACE_ONLY = 'Nats-Trace-Only'
/** Of servers before 2.11. A message that has it is not traced. */
const ORIGIN_ACCOUNT = 'Nats-Trace-Origin-Account'
const ACCEPT_ENCODING = 'Accept-Encoding'

const START = 'NATS/1.0'
const END = '\r\n'
const YES: readonly string[] = ['1', 'true', 'on']

/** What is looked for in the headers of each message. */
const NEEDLE = Buffer.from(`\n${TRACE_DESTINATION}:`, 'latin1')
const LAST = NEEDLE.byteLength - 1
const SHORTEST = `${START}\r\n${TRACE_DESTINATION}:x\r\n\r\n`.length

/** How far a search may go on behind a byte that is in the place of the last of the needle. */
const SKIPS = Uint8Array.from({ length: 256 }, () => NEEDLE.byteLength)
for (let i = 0; i < LAST; i++) SKIPS[NEEDLE[i] as number] = LAST - i

/** Whether the message asks to be traced. It looks at one byte of many. */
export function asksForTrace({ bytes, bodyStart, headerByteCount }: PublishedMessage): boolean {
  if (headerByteCount < SHORTEST) return false
  const end = bodyStart + headerByteCount
  let at = bodyStart + LAST
  while (at < end) {
    const byte = bytes[at] as number
    if (byte === NEEDLE[LAST] && isNeedle(bytes, at - LAST)) return true
    at += SKIPS[byte] as number
  }
  return false
}

function isNeedle(bytes: Buffer, start: number): boolean {
  for (let i = 0; i < LAST; i++) if (bytes[start + i] !== NEEDLE[i]) return false
  return true
}

/** What a message asks for that is traced. Texts have one character for each byte. */
export interface TraceRequest {
  /** All headers, as the trace shows them. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly destination: string
  readonly isOnly: boolean
  /** It comes from a server that traces in another way. */
  readonly isOutdated: boolean
  /** Empty: none. */
  readonly encoding: string
}

/** The headers of a message that was traced, and is not from here on. */
export function withoutTrace(block: Buffer | null): Buffer {
  return withHeader(block, TRACE_DESTINATION, TRACE_DISABLED)
}

/** @returns null: the message is not to be traced */
export function traceRequestOf(block: Buffer | null): TraceRequest | null {
  const text = block?.toString('latin1') ?? ''
  if (!text.startsWith(START)) return null
  const values = new Map<string, string[]>()
  for (const line of text.split(END).slice(1)) {
    const colon = line.indexOf(':')
    const value = line.slice(colon + 1).replace(BLANKS, '')
    if (colon <= 0 || value === '') continue
    const name = line.slice(0, colon)
    const before = values.get(name)
    if (before === undefined) values.set(name, [value])
    else before.push(value)
  }
  const first = (name: string): string => values.get(name)?.[0] ?? ''
  const destination = first(TRACE_DESTINATION)
  if (destination === '' || destination === TRACE_DISABLED) return null
  return {
    headers: Object.fromEntries(values),
    destination,
    isOnly: YES.includes(first(TRACE_ONLY).toLowerCase()),
    isOutdated: first(ORIGIN_ACCOUNT) !== '',
    encoding: first(ACCEPT_ENCODING),
  }
}

const BLANKS = /^[ \t]+|[ \t]+$/g
