const UNITS = [
  { nanoseconds: 1_000_000_000, name: 's' },
  { nanoseconds: 1_000_000, name: 'ms' },
  { nanoseconds: 1_000, name: 'µs' },
]
const HOUR_SECONDS = 3600
const MINUTE_SECONDS = 60

/**
 * A duration as Go prints it, since clients of JetStream are shown these: `1h30m0s`, `1.5s`, `250ms`.
 * Source: Duration.String of Go.
 */
export function durationText(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s'
  const unit = UNITS.find((candidate) => nanoseconds >= candidate.nanoseconds)
  if (unit === undefined) return `${nanoseconds}ns`
  if (unit.name !== 's') return `${nanoseconds / unit.nanoseconds}${unit.name}`
  const seconds = nanoseconds / unit.nanoseconds
  const hours = Math.floor(seconds / HOUR_SECONDS)
  const minutes = Math.floor((seconds % HOUR_SECONDS) / MINUTE_SECONDS)
  const rest = `${Number((seconds % MINUTE_SECONDS).toFixed(9))}s`
  if (hours > 0) return `${hours}h${minutes}m${rest}`
  return minutes > 0 ? `${minutes}m${rest}` : rest
}
