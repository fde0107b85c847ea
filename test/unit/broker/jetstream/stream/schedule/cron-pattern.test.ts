import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CronPattern } from '../../../../../../src/broker/jetstream/stream/schedule/cron-pattern.ts'
import {
  clockTimeOf,
  timeText,
  timeZoneOf,
  UTC,
} from '../../../../../../src/broker/jetstream/stream/schedule/cron-time-zone.ts'

const SECOND = 1000
const HOUR = 3_600_000

/** The next times of a pattern, as text. */
function next(pattern: string, from: string, count = 1, zoneName = 'UTC'): string[] {
  const cron = CronPattern.parse(pattern)
  const zone = timeZoneOf(zoneName)
  assert.ok(cron !== null && zone !== null)
  const times: string[] = []
  let at: number | null = Date.parse(from)
  while (at !== null && times.length < count) {
    at = cron.after(at, zone)
    if (at !== null) times.push(timeText(at, zone))
  }
  return times
}

describe('a cron pattern of six fields (ADR-51)', () => {
  it('says the next time', () => {
    const from = '2026-11-26T01:02:03.4Z'
    assert.deepEqual(next('* * * * * *', from), ['2026-11-26T01:02:04Z'])
    assert.deepEqual(next('0 */20 * * * *', from, 2), [
      '2026-11-26T01:20:00Z',
      '2026-11-26T01:40:00Z',
    ])
    assert.deepEqual(next('0 0 0 29 2 *', from), ['2028-02-29T00:00:00Z'])
    assert.deepEqual(next('0 0 9 ? JAN-mar Mon', from), ['2027-01-04T09:00:00Z'])
    assert.deepEqual(next('5/25 59 23 31 12 *', from, 3), [
      '2026-12-31T23:59:05Z',
      '2026-12-31T23:59:30Z',
      '2026-12-31T23:59:55Z',
    ])
  })

  it('takes a day that passes one of day and weekday, when both say something', () => {
    assert.deepEqual(next('0 0 0 1 * Fri', '2026-11-26T00:00:00Z', 3), [
      '2026-11-27T00:00:00Z',
      '2026-12-01T00:00:00Z',
      '2026-12-04T00:00:00Z',
    ])
  })

  it('has no next time when none comes within five years', () => {
    assert.deepEqual(next('0 0 0 30 2 *', '2026-11-26T00:00:00Z'), [])
    assert.deepEqual(next('* * * 31 4,6,9,11 *', '2026-11-26T00:00:00Z'), [])
  })
})

describe('a cron pattern in its time zone (ADR-51)', () => {
  it('goes by the clocks of its zone, also when they change', () => {
    assert.deepEqual(next('0 30 2 * * *', '2026-03-27T12:00:00Z', 3, 'Europe/Berlin'), [
      '2026-03-28T02:30:00+01:00',
      '2026-03-30T02:30:00+02:00',
      '2026-03-31T02:30:00+02:00',
    ])
    assert.deepEqual(next('0 0 9 * * *', '2026-10-24T12:00:00Z', 2, 'America/New_York'), [
      '2026-10-24T09:00:00-04:00',
      '2026-10-25T09:00:00-04:00',
    ])
  })

  it('passes a midnight that the clocks leave out', () => {
    assert.deepEqual(next('0 0 5 5 11 *', '2017-10-10T00:00:00Z', 1, 'America/Sao_Paulo'), [
      '2017-11-05T05:00:00-02:00',
    ])
    assert.deepEqual(next('0 0 * 15 10 *', '2017-10-14T00:00:00Z', 1, 'America/Sao_Paulo'), [
      '2017-10-15T01:00:00-02:00',
    ])
  })
})

describe('the fields of a cron pattern', () => {
  it('are refused when one is none', () => {
    const wrong = [
      '',
      ', * * * * *',
      '* * * * *',
      '60 * * * * *',
      '* * * 0 * *',
      '* * * * * 7',
      '5-1 * * * * *',
    ]
    wrong.push('*/0 * * * * *', '0-5-6 * * * * *', '1/2/3 * * * * *', 'x * * * * *', '-1 * * * * *')
    for (const text of wrong) assert.equal(CronPattern.parse(text), null, text)
  })

  it('leave no time out that passes', () => {
    const field = (min: number, max: number) =>
      fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 6 })
    const start = fc.integer({ min: 0, max: 4_000_000_000 })
    fc.assert(
      fc.property(
        start,
        field(0, 59),
        field(0, 59),
        field(0, 23),
        (from, seconds, minutes, hours) => {
          const cron = CronPattern.parse(`${seconds} ${minutes} ${hours} * * *`)
          const fromMs = from * SECOND
          const found = cron?.after(fromMs, UTC) ?? 0
          let at = fromMs + SECOND
          for (;;) {
            const { second, minute, hour } = clockTimeOf(at, UTC)
            const isMinute = hours.includes(hour) && minutes.includes(minute)
            if (isMinute && seconds.includes(second)) break
            at += isMinute ? SECOND : 60 * SECOND - second * SECOND
          }
          assert.equal(found, at)
        },
      ),
    )
  })
})

describe('a time zone', () => {
  it('is one of the IANA database, in its own letters', () => {
    for (const name of ['Europe/Berlin', 'Asia/Calcutta', 'UTC', 'Etc/GMT+5']) {
      assert.ok(timeZoneOf(name) !== null, name)
    }
    for (const name of ['europe/berlin', '+01:00', 'Mars/Base', '', 'Local']) {
      assert.equal(timeZoneOf(name), null, name)
    }
  })

  it('shows times as the calendar of the platform does', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2_000_000_000, max: 8_000_000_000 }), (seconds) => {
        const timeMs = seconds * SECOND
        const text = new Date(timeMs).toISOString().replace('.000', '')
        assert.equal(timeText(timeMs, UTC), text)
        assert.equal(clockTimeOf(timeMs, UTC).weekday, new Date(timeMs).getUTCDay())
      }),
    )
    const kolkata = timeZoneOf('Asia/Kolkata')
    assert.equal(kolkata?.(0), 5.5 * HOUR)
  })
})
