import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConnectTimes } from '../../../../../src/frontends/nats/auth/connect-times.ts'

interface Case {
  readonly times: readonly (readonly [start: string, end: string])[]
  readonly zone?: string
  readonly at: string
  readonly until: string | null
}

const DAY = [['09:00:00', '17:30:00']] as const
const NIGHT = [['22:00:00', '06:00:00']] as const

const cases: Readonly<Record<string, Case>> = {
  'a time inside': { times: DAY, at: '2026-03-01T12:00:00Z', until: '2026-03-01T17:30:00Z' },
  'a time before': { times: DAY, at: '2026-03-01T08:59:59Z', until: null },
  'the first moment, which is outside': { times: DAY, at: '2026-03-01T09:00:00Z', until: null },
  'a moment later': { times: DAY, at: '2026-03-01T09:00:00.001Z', until: '2026-03-01T17:30:00Z' },
  'the end, which is outside': { times: DAY, at: '2026-03-01T17:30:00Z', until: null },
  'an evening before midnight': {
    times: NIGHT,
    at: '2026-02-28T23:30:00Z',
    until: '2026-03-01T06:00:00Z',
  },
  'a morning after midnight': {
    times: NIGHT,
    at: '2026-03-01T05:00:00Z',
    until: '2026-03-01T06:00:00Z',
  },
  'a day between two nights': { times: NIGHT, at: '2026-03-01T12:00:00Z', until: null },
  'no length': { times: [['10:00:00', '10:00:00']], at: '2026-03-01T10:00:00Z', until: null },
  'the range of several that lasts longest': {
    times: [['10:00:00', '14:00:00'], ...DAY, ['11:00:00', '13:00:00']],
    at: '2026-03-01T12:00:00Z',
    until: '2026-03-01T17:30:00Z',
  },
  'another zone': {
    times: DAY,
    zone: 'Asia/Tokyo',
    at: '2026-03-01T00:30:00Z',
    until: '2026-03-01T08:30:00Z',
  },
  'another zone where it is another day': {
    times: NIGHT,
    zone: 'America/Los_Angeles',
    at: '2026-03-02T07:00:00Z',
    until: '2026-03-02T14:00:00Z',
  },
  'a night that is an hour shorter': {
    times: NIGHT,
    zone: 'Europe/Berlin',
    at: '2026-03-28T22:00:00Z',
    until: '2026-03-29T04:00:00Z',
  },
  'digits that are left out, and fractions, which do not count': {
    times: [['9:00:00', '17:30:00.9']],
    at: '2026-03-01T12:00:00Z',
    until: '2026-03-01T17:30:00Z',
  },
}

describe('the times when a user of claims may be connected', () => {
  for (const [name, { times, zone = 'UTC', at, until }] of Object.entries(cases)) {
    it(`know ${name}`, () => {
      const ranges = times.map(([start, end]) => ({ start, end }))
      const endMs = ConnectTimes.of(ranges, zone)?.endAfter(Date.parse(at))
      assert.equal(endMs, until === null ? null : Date.parse(until))
    })
  }

  it('are those of the server where no zone is named', () => {
    const noon = new Date(2026, 5, 1, 12).getTime()
    const end = new Date(2026, 5, 1, 13).getTime()
    const times = ConnectTimes.of([{ start: '11:00:00', end: '13:00:00' }], '')
    assert.equal(times?.endAfter(noon), end)
  })

  const unreadable: readonly (readonly [start: unknown, end: unknown])[] = [
    ['24:00:00', '12:00:00'],
    ['10:60:00', '12:00:00'],
    ['10:00', '12:00:00'],
    ['10:0:00', '12:00:00'],
    ['', '12:00:00'],
    ['10:00:00', undefined],
    [10, '12:00:00'],
  ]
  for (const [start, end] of unreadable) {
    it(`can not be read from ${JSON.stringify({ start, end })}`, () => {
      assert.equal(ConnectTimes.of([{ start, end }], 'UTC'), null)
    })
  }

  it('can not be read with a zone that nobody knows', () => {
    assert.equal(ConnectTimes.of([{ start: '01:00:00', end: '02:00:00' }], 'Mars/Olympus'), null)
  })
})
