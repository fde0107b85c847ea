import { millisecondsOf } from '../../rfc3339.ts'
import { durationSecondsOf } from '../publish-facts.ts'
import { CronPattern } from './cron-pattern.ts'
import { type TimeZone, timeText, timeZoneOf, UTC } from './cron-time-zone.ts'

const MS_A_SECOND = 1000
/** The value of `Nats-Schedule-Next` that ends a schedule. */
export const PURGE_SCHEDULE = 'purge'

const AT = '@at '
const EVERY = '@every '

/** Go reads no other form of RFC 3339. */
const TIME = /^(\d{4}-\d\d)-(\d\d)T\d\d:\d\d:(\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

const NAMED: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 0 1 1 *'],
  ['@annually', '0 0 0 1 1 *'],
  ['@monthly', '0 0 0 1 * *'],
  ['@weekly', '0 0 0 * * 0'],
  ['@daily', '0 0 0 * * *'],
  ['@midnight', '0 0 0 * * *'],
  ['@hourly', '0 0 * * * *'],
])

/** When a schedule is due. */
export interface SchedulePattern {
  readonly isRepeated: boolean
  /** The first time after another one, or the only time; null: there is none. */
  after(timeMs: number): number | null
  textOf(timeMs: number): string
}

/** What is wrong with the headers of a schedule. */
type PatternProblem = 'time zone' | 'pattern'

/** Source: parseMsgSchedule of nats-server; ADR-51. */
export function parseSchedule(pattern: string, zoneName: string): SchedulePattern | PatternProblem {
  const zone = zoneName === '' ? null : timeZoneOf(zoneName)
  if (zoneName !== '' && zone === null) return 'time zone'
  if (pattern.startsWith(AT)) return (zone === null && once(pattern.slice(AT.length))) || 'pattern'
  if (pattern.startsWith(EVERY)) {
    return (zone === null && interval(pattern.slice(EVERY.length))) || 'pattern'
  }
  const cron = CronPattern.parse(NAMED.get(pattern) ?? pattern)
  return cron === null ? 'pattern' : repeated(cron, zone ?? UTC)
}

/**
 * When a schedule that was due is due again. Times that were missed meanwhile are left out, but for
 * the one that is due now.
 */
export function dueAgain(pattern: SchedulePattern, dueMs: number, nowMs: number): number | null {
  const next = pattern.after(dueMs)
  if (next === null || next >= nowMs) return next
  return pattern.after(wholeSecond(nowMs))
}

function once(text: string): SchedulePattern | null {
  const match = TIME.exec(text)
  const timeMs = match === null ? null : millisecondsOf(text)
  if (match === null || timeMs === null || match[3] === '60') return null
  // A day that its month has not would be one of the next.
  const firstMs = millisecondsOf(`${match[1]}-01T00:00:00Z`) ?? 0
  const dayMs = millisecondsOf(`${match[1]}-${match[2]}T00:00:00Z`) ?? 0
  const isOfMonth = timeText(firstMs, UTC).slice(0, 7) === timeText(dayMs, UTC).slice(0, 7)
  if (!isOfMonth) return null
  return { isRepeated: false, after: () => timeMs, textOf: (at) => timeText(at, UTC) }
}

function interval(text: string): SchedulePattern | null {
  const seconds = durationSecondsOf(text)
  if (seconds === null || seconds < 1) return null
  return {
    isRepeated: true,
    after: (timeMs) => wholeSecond(timeMs) + seconds * MS_A_SECOND,
    textOf: (timeMs) => timeText(timeMs, UTC),
  }
}

function repeated(cron: CronPattern, zone: TimeZone): SchedulePattern {
  return {
    isRepeated: true,
    after: (timeMs) => cron.after(timeMs, zone),
    textOf: (timeMs) => timeText(timeMs, zone),
  }
}

function wholeSecond(timeMs: number): number {
  return Math.round(timeMs / MS_A_SECOND) * MS_A_SECOND
}
