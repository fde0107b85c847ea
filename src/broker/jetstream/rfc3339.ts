import { daysOf, MONTHS_A_YEAR, MS_A_DAY, MS_A_HOUR, MS_A_MINUTE, MS_A_SECOND } from './calendar.ts'

const NANOSECONDS_A_MS = 1_000_000

const FORM = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/

/**
 * Milliseconds since 1970, with fractions, of a time as JetStream's JSON has it; null for other texts.
 * Source: RFC 3339.
 */
export function millisecondsOf(text: string): number | null {
  const match = FORM.exec(text)
  if (match === null) return null
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match
  if (!isDate(Number(month), Number(day))) return null
  const days = daysOf(Number(year), Number(month), Number(day))
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null
  const ofDay =
    Number(hour) * MS_A_HOUR + Number(minute) * MS_A_MINUTE + Number(second) * MS_A_SECOND
  const ofSecond = fraction === '' ? 0 : Number(`0.${fraction}`) * MS_A_SECOND
  return days * MS_A_DAY + ofDay + ofSecond - offsetMs(zone)
}

/**
 * The first whole millisecond that is not before the time; null for other texts. `millisecondsOf` is too coarse for that: a
 * double has no single nanoseconds in a time of today.
 */
export function firstMillisecondFrom(text: string): number | null {
  const fraction = FORM.exec(text)?.[7] ?? ''
  const ofSecondMs = millisecondsOf(text.replace(`.${fraction}`, ''))
  const nanoseconds = Number(fraction.padEnd(9, '0'))
  return ofSecondMs === null ? null : ofSecondMs + Math.ceil(nanoseconds / NANOSECONDS_A_MS)
}

function offsetMs(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0
  const sign = zone.startsWith('-') ? -1 : 1
  const [hours = 0, minutes = 0] = zone.slice(1).split(':').map(Number)
  return sign * (hours * MS_A_HOUR + minutes * MS_A_MINUTE)
}

function isDate(month: number, day: number): boolean {
  return month >= 1 && month <= MONTHS_A_YEAR && day >= 1 && day <= 31
}
