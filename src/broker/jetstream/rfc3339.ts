const FORM = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/

const MONTHS_A_YEAR = 12
const MS_A_SECOND = 1000
const MS_A_MINUTE = 60 * MS_A_SECOND
const MS_A_HOUR = 60 * MS_A_MINUTE
const MS_A_DAY = 24 * MS_A_HOUR

/** Days of an era of 400 years, and from March of year 0 to 1970. */
const DAYS_AN_ERA = 146_097
const YEARS_AN_ERA = 400
const DAYS_BEFORE_1970 = 719_468

/**
 * Milliseconds since 1970, with fractions, of a time as JetStream's JSON has it; null for other texts.
 * Source: RFC 3339; the calendar counts from March, so that a leap day comes last.
 */
export function millisecondsOf(text: string): number | null {
  const match = FORM.exec(text)
  if (match === null) return null
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match
  const days = daysSince1970(Number(year), Number(month), Number(day))
  if (days === null || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null
  const ofDay =
    Number(hour) * MS_A_HOUR + Number(minute) * MS_A_MINUTE + Number(second) * MS_A_SECOND
  const ofSecond = fraction === '' ? 0 : Number(`0.${fraction}`) * MS_A_SECOND
  return days * MS_A_DAY + ofDay + ofSecond - offsetMs(zone)
}

function daysSince1970(year: number, month: number, day: number): number | null {
  if (month < 1 || month > MONTHS_A_YEAR || day < 1 || day > 31) return null
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / YEARS_AN_ERA)
  const yearOfEra = shifted - era * YEARS_AN_ERA
  const monthFromMarch = (month + 9) % MONTHS_A_YEAR
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  return era * DAYS_AN_ERA + yearOfEra * 365 + leapDays + dayOfYear - DAYS_BEFORE_1970
}

function offsetMs(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0
  const sign = zone.startsWith('-') ? -1 : 1
  const [hours = 0, minutes = 0] = zone.slice(1).split(':').map(Number)
  return sign * (hours * MS_A_HOUR + minutes * MS_A_MINUTE)
}
