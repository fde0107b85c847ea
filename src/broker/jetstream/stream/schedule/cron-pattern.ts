import { beginOf, type ClockTime, clockTimeOf, type TimeZone } from './cron-time-zone.ts'

const MS_A_SECOND = 1000
const SECONDS_A_MINUTE = 60
const MINUTES_AN_HOUR = 60
const MONTHS_A_YEAR = 12

/** Later than this there is no next time. */
const MAX_YEARS = 5

interface Bounds {
  readonly min: number
  readonly max: number
  readonly names: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** The fields in their order. The names of a field count from its minimum. */
const BOUNDS: readonly Bounds[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: WEEKDAYS },
]

interface Field {
  readonly values: ReadonlySet<number>
  /** It says nothing: then a day has to pass the other one of day and weekday. */
  readonly isAny: boolean
}

/** Seconds, minutes, hours, days, months, weekdays. Source: ADR-51; the patterns of robfig/cron. */
export class CronPattern {
  readonly #second: Field
  readonly #minute: Field
  readonly #hour: Field
  readonly #day: Field
  readonly #month: Field
  readonly #weekday: Field

  private constructor(fields: readonly Field[]) {
    const [second, minute, hour, day, month, weekday] = fields
    this.#second = second as Field
    this.#minute = minute as Field
    this.#hour = hour as Field
    this.#day = day as Field
    this.#month = month as Field
    this.#weekday = weekday as Field
  }

  /** null: the text is no pattern. */
  static parse(text: string): CronPattern | null {
    const texts = text.trim().split(/\s+/)
    if (texts.length !== BOUNDS.length) return null
    const fields: Field[] = []
    for (const [at, bounds] of BOUNDS.entries()) {
      const field = fieldOf(texts[at] as string, bounds)
      if (field === null) return null
      fields.push(field)
    }
    return new CronPattern(fields)
  }

  /** The first time after another one; null: there is none within five years. */
  after(timeMs: number, zone: TimeZone): number | null {
    let at = (Math.floor(timeMs / MS_A_SECOND) + 1) * MS_A_SECOND
    const lastYear = clockTimeOf(at, zone).year + MAX_YEARS
    for (;;) {
      const shown = clockTimeOf(at, zone)
      if (shown.year > lastYear) return null
      const next = this.#skipFrom(at, shown, zone)
      if (next === null) return at
      at = next
    }
  }

  /** The first time that may pass, when this one does not; null: it does. */
  #skipFrom(at: number, shown: ClockTime, zone: TimeZone): number | null {
    const { year, month, day, hour, minute, second } = shown
    const minuteEnd = at + (SECONDS_A_MINUTE - second) * MS_A_SECOND
    const minutesLeft = MINUTES_AN_HOUR - 1 - minute
    const hourEnd = minuteEnd + minutesLeft * SECONDS_A_MINUTE * MS_A_SECOND
    if (!this.#month.values.has(month)) {
      const isLast = month === MONTHS_A_YEAR
      const next = beginOf(isLast ? year + 1 : year, isLast ? 1 : month + 1, 1, zone)
      return Math.max(next, hourEnd)
    }
    if (!this.#isDay(shown)) {
      // The day after the last of a month is the first of the next one.
      return Math.max(beginOf(year, month, day + 1, zone), hourEnd)
    }
    if (!this.#hour.values.has(hour)) return hourEnd
    if (!this.#minute.values.has(minute)) return minuteEnd
    return this.#second.values.has(second) ? null : at + MS_A_SECOND
  }

  #isDay({ day, weekday }: ClockTime): boolean {
    const isDay = this.#day.values.has(day)
    const isWeekday = this.#weekday.values.has(weekday)
    return this.#day.isAny || this.#weekday.isAny ? isDay && isWeekday : isDay || isWeekday
  }
}

function fieldOf(text: string, bounds: Bounds): Field | null {
  const values = new Set<number>()
  let isAny = false
  for (const part of text.split(',')) {
    if (part === '') continue
    const range = rangeOf(part, bounds)
    if (range === null) return null
    for (let at = range.first; at <= range.last; at += range.step) values.add(at)
    if (range.isAny) isAny = true
  }
  // Nothing passes a field of nothing: looking for it would take years of seconds.
  return values.size === 0 ? null : { values, isAny }
}

interface Range {
  readonly first: number
  readonly last: number
  readonly step: number
  readonly isAny: boolean
}

/** A number, `*`, `?`, or from-to, each with a step behind `/` or without. */
function rangeOf(text: string, bounds: Bounds): Range | null {
  const [range = '', stepText, ...tooMany] = text.split('/')
  const [from = '', to, ...more] = range.split('-')
  const step = stepText === undefined ? 1 : numberOf(stepText)
  if (tooMany.length > 0 || step === null || step === 0) return null
  if (from === '*' || from === '?') {
    return { first: bounds.min, last: bounds.max, step, isAny: step === 1 }
  }
  const first = valueIn(from, bounds)
  const end = to === undefined ? first : valueIn(to, bounds)
  if (first === null || end === null || more.length > 0) return null
  const last = to === undefined && stepText !== undefined ? bounds.max : end
  if (first < bounds.min || last > bounds.max || first > last) return null
  return { first, last, step, isAny: false }
}

function valueIn(text: string, { min, names }: Bounds): number | null {
  const named = names.indexOf(text.toLowerCase())
  return named === -1 ? numberOf(text) : named + min
}

function numberOf(text: string): number | null {
  return /^\+?\d{1,9}$/.test(text) ? Number(text) : null
}
