import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { firstMillisecondFrom, millisecondsOf } from '../../../../src/broker/jetstream/rfc3339.ts'

describe('times of RFC 3339', () => {
  it('are what Date makes of them', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }),
        (date) => {
          assert.equal(Math.round(millisecondsOf(date.toISOString()) ?? 0), date.getTime())
        },
      ),
    )
  })

  it('may have nanoseconds and a zone', () => {
    assert.equal(millisecondsOf('1970-01-01T00:00:00.000001Z'), 0.001)
    assert.equal(millisecondsOf('1970-01-01T02:00:00+02:00'), 0)
    assert.equal(millisecondsOf('2000-02-29T00:00:00-00:30'), Date.UTC(2000, 1, 29, 0, 30))
    assert.equal(millisecondsOf('0001-01-01T00:00:00Z'), Date.parse('0001-01-01T00:00:00Z'))
  })

  it('begin with the millisecond that is not before them', () => {
    const startMs = Date.UTC(2026, 10, 26, 13, 6, 29, 828)
    const first = (fraction: string) => firstMillisecondFrom(`2026-11-26T15:06:29${fraction}+02:00`)
    assert.equal(first('.828'), startMs)
    assert.equal(first('.828000000'), startMs)
    assert.equal(first('.828000001'), startMs + 1)
    assert.equal(first('.827999999'), startMs)
    assert.equal(first('.8275'), startMs)
    assert.equal(first(''), startMs - 828)
    assert.equal(firstMillisecondFrom('now'), null)
  })

  it('are null when they are none', () => {
    for (const text of ['', 'now', '2020-13-01T00:00:00Z', '2020-01-01', '2020-01-01T24:00:00Z']) {
      assert.equal(millisecondsOf(text), null, text)
    }
  })
})
