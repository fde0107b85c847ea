/** The numbered records of the test, which CrossProtocol.java makes likewise, as NATS shows them. */

export interface NumberedMessage {
  readonly subject: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly payload: Uint8Array
}

/** Different subjects and keys of those that are subjects. */
export const KEY_COUNT = 1000
export const TOPIC = 'ORDERS'

const NO_PAYLOAD = new Uint8Array()
const TOMBSTONE_DIVISOR = 89

/** What a Kafka client produces in the form `any`: every kind of key, header and value. */
export function anyRecord(number: number): NumberedMessage {
  const headers = [...plainHeaders(number)]
  if (number % 5 === 2) {
    headers.push(['lines;b64', Buffer.from(`1\r\n${number}`).toString('base64')])
  }
  if (number % 5 === 4) headers.push(['nothing', ''])
  const isTombstone = number % TOMBSTONE_DIVISOR === TOMBSTONE_DIVISOR - 1
  const payload = isTombstone ? NO_PAYLOAD : payloadOf(number)
  return { subject: subjectOfAny(number), headers, payload }
}

function subjectOfAny(number: number): string {
  switch (number % 8) {
    case 0:
      return TOPIC
    case 1:
      return `${TOPIC}.customer%20${number}`
    case 2: {
      const last = String.fromCharCode(number & 0xff)
      const code = (number & 0xff).toString(16).toUpperCase().padStart(2, '0')
      return `${TOPIC}.%FF%2E${/[A-Za-z0-9_-]/.test(last) ? last : `%${code}`}`
    }
    default:
      return `orders.eu.${number % KEY_COUNT}`
  }
}

/** What either side writes where both sides show the same. */
export function commonRecord(source: 'kafka' | 'nats', number: number): NumberedMessage {
  const subject = `orders.${source}.${number % KEY_COUNT}`
  return { subject, headers: plainHeaders(number), payload: payloadOf(number) }
}

export interface NumberedEntry {
  readonly key: string
  readonly operation: 'PUT' | 'DEL'
  readonly payload: Uint8Array
}

/** What a Kafka client produces in the form `bucket`. */
export function bucketEntry(number: number, keyCount: number): NumberedEntry {
  const isTombstone = (number + Math.floor(number / keyCount)) % 10 === 9
  return {
    key: `k.${number % keyCount}`,
    operation: isTombstone ? 'DEL' : 'PUT',
    payload: isTombstone ? NO_PAYLOAD : payloadOf(number),
  }
}

function plainHeaders(number: number): readonly (readonly [name: string, value: string])[] {
  if (number % 5 === 0) return []
  const headers: (readonly [string, string])[] = [
    ['number', String(number)],
    ['kind', 'a'],
    ['kind', 'b'],
  ]
  if (number % 5 === 3) headers.push(['text', `Grüße: ${number}`])
  return headers
}

/** Of up to 199 bytes, but every thousandth has 20,000. */
function payloadOf(number: number): Uint8Array {
  const payload = new Uint8Array(number % 1000 === 500 ? 20_000 : (number * 31) % 200)
  for (let at = 0; at < payload.byteLength; at++) payload[at] = number * 7 + at * 13
  return payload
}
