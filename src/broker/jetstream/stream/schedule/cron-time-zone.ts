import { dateOf, daysOf, MS_A_DAY, MS_A_HOUR, MS_A_MINUTE, MS_A_SECOND } from '../../calendar.ts'

/** By how many milliseconds its clocks are ahead of UTC at a time, which counts from 1970. */
export type TimeZone = (timeMs: number) => number

export const UTC: TimeZone = () => 0

/** A time as clocks show it. Months count from 1, days of the week from Sunday as 0. */
export interface ClockTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** @param name of the IANA database, in its own letters; null: there is no such zone */
export function timeZoneOf(name: string): TimeZone | null {
  if (name === 'UTC') return UTC
  if (!/^[A-Za-z]/.test(name)) return null
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', { ...PARTS, timeZone: name })
  } catch {
    return null
  }
  const known = format.resolvedOptions().timeZone
  if (known !== name && known.toLowerCase() === name.toLowerCase()) return null
  return (timeMs) => offsetOf(format, timeMs)
}

const PARTS = {
  calendar: 'gregory',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const

function offsetOf(format: Intl.DateTimeFormat, timeMs: number): number {
  const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of format.formatToParts(timeMs)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  const shown =
    daysOf(year, month, day) * MS_A_DAY +
    hour * MS_A_HOUR +
    minute * MS_A_MINUTE +
    second * MS_A_SECOND
  return shown - Math.floor(timeMs / MS_A_SECOND) * MS_A_SECOND
}

export function clockTimeOf(timeMs: number, zone: TimeZone): ClockTime {
  const shown = timeMs + zone(timeMs)
  const days = Math.floor(shown / MS_A_DAY)
  const ofDay = Math.floor((shown - days * MS_A_DAY) / MS_A_SECOND)
  return {
    ...dateOf(days),
    weekday: (((days + 4) % 7) + 7) % 7,
    hour: Math.floor(ofDay / 3600),
    minute: Math.floor(ofDay / 60) % 60,
    second: ofDay % 60,
  }
}

/** The begin of a day; near a change of the clocks it may be an hour off. Source: time.Date of Go. */
export function beginOf(year: number, month: number, day: number, zone: TimeZone): number {
  const shown = daysOf(year, month, day) * MS_A_DAY
  const first = zone(shown)
  return shown - zone(shown - first)
}

/** As RFC 3339 has it, without fractions that are zero. */
export function timeText(timeMs: number, zone: TimeZone): string {
  const { year, month, day, hour, minute, second } = clockTimeOf(timeMs, zone)
  const ms = Math.floor(timeMs - Math.floor(timeMs / MS_A_SECOND) * MS_A_SECOND)
  const fraction = ms === 0 ? '' : `.${String(ms).padStart(3, '0').replace(/0+$/, '')}`
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
  return `${date}T${two(hour)}:${two(minute)}:${two(second)}${fraction}${offsetText(zone(timeMs))}`
}

function offsetText(offsetMs: number): string {
  if (offsetMs === 0) return 'Z'
  const minutes = Math.floor(Math.abs(offsetMs) / MS_A_MINUTE)
  return `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
