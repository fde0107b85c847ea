const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1_000,
  µs: 1_000,
  μs: 1_000,
  ms: 1_000_000,
  s: 1_000_000_000,
  m: 60_000_000_000,
  h: 3_600_000_000_000,
}
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy

/**
 * Nanoseconds of a duration as Go writes it, such as `1m30s` or `250ms`.
 * @returns null for other texts
 * Source: time.ParseDuration of Go.
 */
export function goDuration(text: string): number | null {
  const sign = text.startsWith('-') ? -1 : 1
  const unsigned = text.replace(/^[+-]/, '')
  if (unsigned === '0') return 0
  let total = 0
  let end = 0
  for (const { 0: part, 1: number = '', 2: unit = '' } of unsigned.matchAll(PART)) {
    total += Number(number) * (NANOSECONDS[unit] ?? 0)
    end += part.length
  }
  return end > 0 && end === unsigned.length ? sign * Math.round(total) : null
}
