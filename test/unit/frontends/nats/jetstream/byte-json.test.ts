import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { byteJson, parseByteJson } from '../../../../../src/frontends/nats/jetstream/byte-json.ts'

describe('JSON whose texts are bytes', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value = parseByteJson(Buffer.from(text))
        assert.deepEqual(parseByteJson(byteJson(value)), value)
      }),
    )
  })

  it('is JSON also with texts that never were bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const plain = text.replace(/[\x80-\xff]/g, '')
        assert.equal(JSON.parse(byteJson(plain).toString('utf8')), plain)
      }),
    )
  })
})
