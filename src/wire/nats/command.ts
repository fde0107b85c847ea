/** The operations a client may send. */
export const Command = {
  PUB: 0,
  HPUB: 1,
  SUB: 2,
  UNSUB: 3,
  CONNECT: 4,
  PING: 5,
  PONG: 6,
  INFO: 7,
  OK: 8,
  ERR: 9,
} as const

/** Not enough bytes to know. */
export const INCOMPLETE = -1
/** No operation begins like this. */
export const UNKNOWN = -2

/** In the order of `Command`, in capitals; a blank where arguments must follow. */
const VERBS: readonly Buffer[] = [
  'PUB ',
  'HPUB ',
  'SUB ',
  'UNSUB ',
  'CONNECT ',
  'PING',
  'PONG',
  'INFO ',
  '+OK',
  '-ERR ',
].map((verb) => Buffer.from(verb, 'latin1'))

const BLANK = 32
const TAB = 9
const LOWER_CASE_A = 97
const LOWER_CASE_Z = 122
const TO_CAPITAL = 32

/** Bytes of the operation's name, without the blank behind it. */
export function verbByteCount(command: number): number {
  const verb = VERBS[command]
  if (verb === undefined) return 0
  return verb[verb.byteLength - 1] === BLANK ? verb.byteLength - 1 : verb.byteLength
}

/** The operation that begins at `start`, in either case; INCOMPLETE or UNKNOWN. */
export function commandAt(bytes: Buffer, start: number, end: number): number {
  if (isPlainPub(bytes, start, end)) return Command.PUB
  let result = UNKNOWN
  for (let command = 0; command < VERBS.length; command++) {
    const found = compareVerb(VERBS[command] as Buffer, bytes, start, end)
    if (found === MATCHES) return command
    if (found === INCOMPLETE) result = INCOMPLETE
  }
  return result
}

/** As nearly all operations of a busy client begin. */
function isPlainPub(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < PUB_BYTES) return false
  return (
    bytes[start] === P &&
    bytes[start + 1] === U &&
    bytes[start + 2] === B &&
    bytes[start + 3] === BLANK
  )
}

const PUB_BYTES = 4
const P = 80
const U = 85
const B = 66

const MATCHES = 0

function compareVerb(verb: Buffer, bytes: Buffer, start: number, end: number): number {
  const byteCount = verb.byteLength
  for (let i = 0; i < byteCount; i++) {
    const at = start + i
    if (at >= end) return INCOMPLETE
    const byte = bytes[at] as number
    const isLowerCase = byte >= LOWER_CASE_A && byte <= LOWER_CASE_Z
    const wanted = verb[i] as number
    const isSame = (isLowerCase ? byte - TO_CAPITAL : byte) === wanted
    if (!isSame && !(wanted === BLANK && byte === TAB)) return UNKNOWN
  }
  return MATCHES
}
