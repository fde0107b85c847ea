import { daysOf, MS_A_DAY, MS_A_MINUTE, MS_A_SECOND } from '../../../broker/jetstream/calendar.ts'
import {
  clockTimeOf,
  type TimeZone,
  timeZoneOf,
} from '../../../broker/jetstream/stream/schedule/cron-time-zone.ts'

/** A part of each day, in milliseconds since its begin. When it ends first, it ends on the next day. */
interface DayPart {
  readonly startMs: number
  readonly endMs: number
}

/** Source: the layout 15:04:05 of Go, as claims of users are read. */
const TIME_OF_DAY = /^(\d{1,2}):(\d\d):(\d\d)(?:[.,]\d+)?$/

/** When a user may be connected. */
export class ConnectTimes {
  readonly #parts: readonly DayPart[]
  readonly #zone: TimeZone

  private constructor(parts: readonly DayPart[], zone: TimeZone) {
    this.#parts = parts
    this.#zone = zone
  }

  /**
   * @param ranges each with `start` and `end`
   * @param zoneName empty: the zone of the server
   * @returns null when they can't be read
   */
  static of(
    ranges: readonly Readonly<Record<string, unknown>>[],
    zoneName: string,
  ): ConnectTimes | null {
    const zone = zoneOf(zoneName)
    const parts: DayPart[] = []
    for (const { start, end } of ranges) {
      const startMs = timeOfDay(start)
      const endMs = timeOfDay(end)
      if (startMs === null || endMs === null) return null
      parts.push({ startMs, endMs })
    }
    return zone === null ? null : new ConnectTimes(parts, zone)
  }

  /**
   * @returns when the range ends that a time is in, the last one of several; null: it is in none
   * Source: validateTimes of nats-server.
   */
  endAfter(nowMs: number): number | null {
    let last: number | null = null
    for (const part of this.#parts) {
      const endMs = this.#endOf(part, nowMs)
      if (endMs !== null && (last === null || endMs > last)) last = endMs
    }
    return last
  }

  #endOf({ startMs, endMs }: DayPart, nowMs: number): number | null {
    const start = this.#today(startMs, nowMs)
    const end = this.#today(endMs, nowMs)
    if (startMs <= endMs) return start < nowMs && nowMs < end ? end : null
    if (nowMs < end) return end
    return start < nowMs ? this.#today(MS_A_DAY + endMs, nowMs) : null
  }

  /** When clocks show a time on the day that it is now. In the gap of a change they show another. */
  #today(ofDayMs: number, nowMs: number): number {
    const { year, month, day } = clockTimeOf(nowMs, this.#zone)
    const shown = daysOf(year, month, day) * MS_A_DAY + ofDayMs
    const first = this.#zone(shown)
    return shown - this.#zone(shown - first)
  }
}

function zoneOf(name: string): TimeZone | null {
  if (name === '' || name === 'Local') return ownZone
  return timeZoneOf(name)
}

/** Of the process. */
function ownZone(timeMs: number): number {
  return -new Date(timeMs).getTimezoneOffset() * MS_A_MINUTE
}

function timeOfDay(text: unknown): number | null {
  const match = typeof text === 'string' ? TIME_OF_DAY.exec(text) : null
  if (match === null) return null
  const [hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  if (hour > 23 || minute > 59 || second > 59) return null
  return ((hour * 60 + minute) * 60 + second) * MS_A_SECOND
}
