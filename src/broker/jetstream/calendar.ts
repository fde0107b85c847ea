export const MS_A_SECOND = 1000
export const MS_A_MINUTE = 60 * MS_A_SECOND
export const MS_A_HOUR = 60 * MS_A_MINUTE
export const MS_A_DAY = 24 * MS_A_HOUR
export const MONTHS_A_YEAR = 12

/** Days of an era of 400 years, and from March of year 0 to 1970. */
const DAYS_AN_ERA = 146_097
const YEARS_AN_ERA = 400
const DAYS_BEFORE_1970 = 719_468

/** Days since 1970. The calendar counts from March, so that a leap day comes last. */
export function daysOf(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / YEARS_AN_ERA)
  const yearOfEra = shifted - era * YEARS_AN_ERA
  const dayOfYear = Math.floor((153 * ((month + 9) % MONTHS_A_YEAR) + 2) / 5) + day - 1
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  return era * DAYS_AN_ERA + yearOfEra * 365 + leapDays + dayOfYear - DAYS_BEFORE_1970
}

/** The day that is so many days after the first of 1970. */
export function dateOf(days: number): { year: number; month: number; day: number } {
  const shifted = days + DAYS_BEFORE_1970
  const era = Math.floor(shifted / DAYS_AN_ERA)
  const ofEra = shifted - era * DAYS_AN_ERA
  const leaps = Math.floor(ofEra / 1460) - Math.floor(ofEra / 36_524) + Math.floor(ofEra / 146_096)
  const yearOfEra = Math.floor((ofEra - leaps) / 365)
  const before = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100)
  const dayOfYear = ofEra - before
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = ((fromMarch + 2) % MONTHS_A_YEAR) + 1
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1
  return { year: yearOfEra + era * YEARS_AN_ERA + (month <= 2 ? 1 : 0), month, day }
}
