import { millisecondsOf } from '../../../broker/jetstream/rfc3339.ts'

const FRACTION = /\.(\d+)/

/** A time of RFC 3339 in UTC, with all its digits behind the second; null for other texts. */
export function utcText(text: string): string | null {
  const wholeMs = millisecondsOf(text.replace(FRACTION, ''))
  if (wholeMs === null) return null
  const whole = new Date(wholeMs).toISOString().slice(0, -'.000Z'.length)
  const digits = FRACTION.exec(text)?.[1]?.replace(/0+$/, '') ?? ''
  return digits === '' ? `${whole}Z` : `${whole}.${digits}Z`
}
