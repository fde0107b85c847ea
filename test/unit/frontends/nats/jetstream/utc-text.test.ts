import assert from 'node:assert/strict'
import { it } from 'node:test'
import { utcText } from '../../../../../src/frontends/nats/jetstream/utc-text.ts'

it('times keep their nanoseconds in UTC', () => {
  assert.equal(utcText('2026-11-26T13:06:29.828148535Z'), '2026-11-26T13:06:29.828148535Z')
  assert.equal(utcText('2026-11-26T01:06:29.120+02:00'), '2026-11-25T23:06:29.12Z')
  assert.equal(utcText('2026-11-26T13:06:29.000Z'), '2026-11-26T13:06:29Z')
  assert.equal(utcText('2026-11-26'), null)
})
